-- Floating-point arithmetic: how long the points of the Mandelbrot set's neighbourhood stay near zero.
local SIZE = 400

local function steps(cr, ci)
  local r, i, n = 0.0, 0.0, 0
  while n < 50 do
    local r2, i2 = r * r, i * i
    if r2 + i2 > 4 then return n end
    i = 2 * r * i + ci
    r = r2 - i2 + cr
    n = n + 1
  end
  return n
end

return function(rounds)
  local total = 0
  for _ = 1, rounds do
    for y = 0, SIZE - 1 do
      for x = 0, SIZE - 1 do
        total = total + steps(3 * x / SIZE - 2, 2 * y / SIZE - 1)
      end
    end
  end
  return total
end
