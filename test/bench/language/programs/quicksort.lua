-- Recursion over an array: 200,000 pseudo-random numbers sorted, once a round.
local COUNT = 200000

local function quicksort(a, low, high)
  local i, j = low, high
  local pivot = a[(low + high) // 2]
  while i <= j do
    while a[i] < pivot do i = i + 1 end
    while a[j] > pivot do j = j - 1 end
    if i <= j then
      a[i], a[j] = a[j], a[i]
      i = i + 1
      j = j - 1
    end
  end
  if low < j then quicksort(a, low, j) end
  if i < high then quicksort(a, i, high) end
end

return function(rounds)
  local numbers = {}
  local seed, total = 42, 0
  for _ = 1, rounds do
    for n = 0, COUNT - 1 do
      seed = seed * 16807 % 2147483647
      numbers[n] = seed
    end
    quicksort(numbers, 0, COUNT - 1)
    for n = 1, COUNT - 1 do
      if numbers[n - 1] > numbers[n] then error("not sorted") end
    end
    total = total + numbers[1000] % 1000003
  end
  return total
end
