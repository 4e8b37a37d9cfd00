"""Calls: the 30th Fibonacci number the slow way, once a round."""


def fib(n):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def run(rounds):
    total = 0
    for _ in range(rounds):
        total += fib(30)
    return total
