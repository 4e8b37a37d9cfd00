-- Calls: the 30th Fibonacci number the slow way, once a round.
local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end

return function(rounds)
  local total = 0
  for _ = 1, rounds do total = total + fib(30) end
  return total
end
