-- A dictionary: how often each of 3,000 words stands in a text of 100,000, counted anew each round.
local function makeText()
  local words = {}
  local seed = 42
  for i = 1, 100000 do
    seed = seed * 16807 % 2147483647
    words[i] = "word" .. seed % 3000
  end
  return table.concat(words, " ")
end

local function count(text)
  local counts, size = {}, 0
  for word in text:gmatch("[^ ]+") do
    local known = counts[word]
    if known then
      counts[word] = known + 1
    else
      counts[word] = 1
      size = size + 1
    end
  end
  return counts, size
end

return function(rounds)
  local text = makeText()
  local total = 0
  for round = 1, rounds do
    local counts, size = count(text)
    total = total + size + counts["word" .. round % 3000]
  end
  return total
end
