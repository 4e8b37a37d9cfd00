"""A dictionary: how often each of 3,000 words stands in a text of 100,000, counted anew each round."""


def make_text():
    words = []
    seed = 42
    for _ in range(100_000):
        seed = seed * 16807 % 2147483647
        words.append("word" + str(seed % 3000))
    return " ".join(words)


def count(text):
    counts = {}
    for word in text.split(" "):
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    return counts


def run(rounds):
    text = make_text()
    total = 0
    for round in range(1, rounds + 1):
        counts = count(text)
        total += len(counts) + counts["word" + str(round % 3000)]
    return total
