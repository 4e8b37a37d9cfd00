-- Array stores: the sieve of Eratosthenes.
local LIMIT = 1000000

return function(rounds)
  local flags = {}
  for i = 1, LIMIT do flags[i] = 0 end
  local total = 0
  for _ = 1, rounds do
    for i = 2, LIMIT do flags[i] = 1 end
    for i = 2, LIMIT do
      if flags[i] == 1 then
        total = total + 1
        for k = i * i, LIMIT, i do flags[k] = 0 end
      end
    end
  end
  return total
end
