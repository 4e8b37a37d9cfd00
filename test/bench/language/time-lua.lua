-- Runs one Lua program and prints its result and the seconds of processor time it took: lua5.4 time-lua.lua PROGRAM ROUNDS
local run = dofile(arg[1])
local rounds = math.tointeger(tonumber(arg[2]))
local start = os.clock()
local result = run(rounds)
print(string.format("%d %.6f", result, os.clock() - start))
