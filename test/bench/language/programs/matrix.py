"""Two-dimensional arrays: the product of two 200 by 200 matrices, once a round."""

N = 200


def fill(a, n, seed):
    for i in range(n):
        row = a[i]
        for j in range(n):
            row[j] = float((i * seed + j) % 7)


def multiply(a, b, c, n):
    for i in range(n):
        left = a[i]
        result = c[i]
        for j in range(n):
            total = 0.0
            for k in range(n):
                total += left[k] * b[k][j]
            result[j] = total


def run(rounds):
    a, b, c = ([[0.0] * N for _ in range(N)] for _ in range(3))
    total = 0.0
    fill(a, N, 7)
    for round in range(1, rounds + 1):
        fill(b, N, round)
        multiply(a, b, c, N)
        total += c[round % N][17]
    return int(total)
