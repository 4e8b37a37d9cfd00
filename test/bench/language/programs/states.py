"""GOTO: a scanner as a state machine over 100,000 pseudo-random symbols a round, as a chain of ifs in a loop."""

BETWEEN, NUMBER, WORD, COMMENT = range(4)


def run(rounds):
    seed = 42
    numbers = words = comments = marks = 0
    for _ in range(rounds):
        left = 100_000
        state = BETWEEN
        while True:
            symbol = -1
            if left > 0:
                left -= 1
                seed = seed * 16807 % 2147483647
                symbol = seed % 8
            if state == BETWEEN:
                if symbol < 0:
                    break
                if symbol < 2:
                    state = NUMBER
                elif symbol < 5:
                    state = WORD
                elif symbol == 5:
                    state = COMMENT
                elif symbol == 6:
                    marks += 1
            elif state == NUMBER:
                if 2 <= symbol < 5:
                    state = WORD
                elif symbol < 0 or symbol >= 5:
                    numbers += 1
                    state = BETWEEN
            elif state == WORD:
                if symbol < 0 or symbol >= 5:
                    words += 1
                    state = BETWEEN
            elif symbol < 0 or symbol == 7:
                comments += 1
                state = BETWEEN
    return numbers + 3 * words + 5 * comments + 7 * marks
