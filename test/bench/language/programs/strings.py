"""String building: lines of a report put together from parts, and lines turned round character by character."""


def reverse(text):
    result = ""
    for i in range(len(text) - 1, -1, -1):
        result += text[i]
    return result


def report(round):
    text = ""
    for n in range(1, 1001):
        line = "item " + str(n) + ": "
        for c in range(8):
            line += chr(65 + (n * c + round) % 26)
        text += line[:2].upper() + reverse(line) + "\n"
    return text


def run(rounds):
    total = 0
    for round in range(1, rounds + 1):
        text = report(round)
        total += len(text) + ord(text[round % 5000])
    return total
