"""Array stores: the sieve of Eratosthenes."""

LIMIT = 1_000_000


def run(rounds):
    flags = [0] * (LIMIT + 1)
    total = 0
    for _ in range(rounds):
        for i in range(2, LIMIT + 1):
            flags[i] = 1
        for i in range(2, LIMIT + 1):
            if flags[i] == 1:
                total += 1
                for k in range(i * i, LIMIT + 1, i):
                    flags[k] = 0
    return total
