"""Recursion over an array: 200,000 pseudo-random numbers sorted, once a round."""

COUNT = 200_000


def quicksort(a, low, high):
    i = low
    j = high
    pivot = a[(low + high) // 2]
    while i <= j:
        while a[i] < pivot:
            i += 1
        while a[j] > pivot:
            j -= 1
        if i <= j:
            a[i], a[j] = a[j], a[i]
            i += 1
            j -= 1
    if low < j:
        quicksort(a, low, j)
    if i < high:
        quicksort(a, i, high)


def run(rounds):
    numbers = [0] * COUNT
    seed = 42
    total = 0
    for _ in range(rounds):
        for n in range(COUNT):
            seed = seed * 16807 % 2147483647
            numbers[n] = seed
        quicksort(numbers, 0, COUNT - 1)
        for n in range(1, COUNT):
            if numbers[n - 1] > numbers[n]:
                raise AssertionError("not sorted")
        total += numbers[1000] % 1000003
    return total
