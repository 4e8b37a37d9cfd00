-- String building: lines of a report put together from parts, and lines turned round character by character.
-- Long texts are joined from tables, as Lua programmers do.
local function reversed(text)
  local parts = {}
  for i = #text, 1, -1 do parts[#parts + 1] = text:sub(i, i) end
  return table.concat(parts)
end

local function report(round)
  local text = {}
  for n = 1, 1000 do
    local line = "item " .. n .. ": "
    for c = 0, 7 do line = line .. string.char(65 + (n * c + round) % 26) end
    text[n] = line:sub(1, 2):upper() .. reversed(line) .. "\n"
  end
  return table.concat(text)
end

return function(rounds)
  local total = 0
  for round = 1, rounds do
    local text = report(round)
    total = total + #text + text:byte(round % 5000 + 1)
  end
  return total
end
