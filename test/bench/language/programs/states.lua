-- GOTO: a scanner as a state machine over 100,000 pseudo-random symbols a round.
return function(rounds)
  local seed, numbers, words, comments, marks = 42, 0, 0, 0, 0
  for _ = 1, rounds do
    local left, symbol = 100000, 0
    ::between::
    if left == 0 then goto done end
    left = left - 1
    seed = seed * 16807 % 2147483647
    symbol = seed % 8
    if symbol < 2 then goto number end
    if symbol < 5 then goto word end
    if symbol == 5 then goto comment end
    if symbol == 6 then marks = marks + 1 end
    goto between
    ::number::
    if left == 0 then goto numberEnds end
    left = left - 1
    seed = seed * 16807 % 2147483647
    symbol = seed % 8
    if symbol < 2 then goto number end
    if symbol < 5 then goto word end
    ::numberEnds::
    numbers = numbers + 1
    goto between
    ::word::
    if left == 0 then goto wordEnds end
    left = left - 1
    seed = seed * 16807 % 2147483647
    symbol = seed % 8
    if symbol < 5 then goto word end
    ::wordEnds::
    words = words + 1
    goto between
    ::comment::
    if left == 0 then goto commentEnds end
    left = left - 1
    seed = seed * 16807 % 2147483647
    symbol = seed % 8
    if symbol ~= 7 then goto comment end
    ::commentEnds::
    comments = comments + 1
    goto between
    ::done::
  end
  return numbers + 3 * words + 5 * comments + 7 * marks
end
