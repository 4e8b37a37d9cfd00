-- Two-dimensional arrays: the product of two 200 by 200 matrices, once a round.
local N = 200

local function matrix(n)
  local a = {}
  for i = 0, n - 1 do
    a[i] = {}
    for j = 0, n - 1 do a[i][j] = 0.0 end
  end
  return a
end

local function fill(a, n, seed)
  for i = 0, n - 1 do
    local row = a[i]
    for j = 0, n - 1 do row[j] = (i * seed + j) % 7 + 0.0 end
  end
end

local function multiply(a, b, c, n)
  for i = 0, n - 1 do
    local left, result = a[i], c[i]
    for j = 0, n - 1 do
      local sum = 0.0
      for k = 0, n - 1 do sum = sum + left[k] * b[k][j] end
      result[j] = sum
    end
  end
end

return function(rounds)
  local a, b, c = matrix(N), matrix(N), matrix(N)
  local total = 0
  fill(a, N, 7)
  for round = 1, rounds do
    fill(b, N, round)
    multiply(a, b, c, N)
    total = total + c[round % N][17]
  end
  return math.floor(total)
end
