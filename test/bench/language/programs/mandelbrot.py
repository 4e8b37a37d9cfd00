"""Floating-point arithmetic: how long the points of the Mandelbrot set's neighbourhood stay near zero."""

SIZE = 400


def steps(cr, ci):
    r = 0.0
    i = 0.0
    n = 0
    while n < 50:
        r2 = r * r
        i2 = i * i
        if r2 + i2 > 4:
            return n
        i = 2 * r * i + ci
        r = r2 - i2 + cr
        n += 1
    return n


def run(rounds):
    total = 0
    for _ in range(rounds):
        for y in range(SIZE):
            for x in range(SIZE):
                total += steps(3 * x / SIZE - 2, 2 * y / SIZE - 1)
    return total
