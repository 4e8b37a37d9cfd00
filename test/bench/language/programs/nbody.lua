-- Arrays of numbers in functions: the sun and four planets, 10,000 steps a round.
local BODIES = {
  {0, 0, 0, 0, 0, 0, 39.47841760435743},
  {4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626016, -0.02521836165988763, 0.03769367487038949},
  {8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767},
  {12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.0827910064415354, 0.8687130181696081, -0.010832637401363636, 0.0017237240570597112},
  {15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.5946989986476762, -0.034755955504078104, 0.0020336868699246304},
}
local sqrt = math.sqrt

local function advance(x, y, z, vx, vy, vz, mass, dt)
  for i = 1, 5 do
    for j = i + 1, 5 do
      local dx, dy, dz = x[i] - x[j], y[i] - y[j], z[i] - z[j]
      local square = dx * dx + dy * dy + dz * dz
      local mag = dt / (square * sqrt(square))
      vx[i] = vx[i] - dx * mass[j] * mag
      vy[i] = vy[i] - dy * mass[j] * mag
      vz[i] = vz[i] - dz * mass[j] * mag
      vx[j] = vx[j] + dx * mass[i] * mag
      vy[j] = vy[j] + dy * mass[i] * mag
      vz[j] = vz[j] + dz * mass[i] * mag
    end
  end
  for i = 1, 5 do
    x[i] = x[i] + dt * vx[i]
    y[i] = y[i] + dt * vy[i]
    z[i] = z[i] + dt * vz[i]
  end
end

local function energy(x, y, z, vx, vy, vz, mass)
  local e = 0
  for i = 1, 5 do
    e = e + 0.5 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i] + vz[i] * vz[i])
    for j = i + 1, 5 do
      local dx, dy, dz = x[i] - x[j], y[i] - y[j], z[i] - z[j]
      e = e - mass[i] * mass[j] / sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return e
end

return function(rounds)
  local parts = {}
  for part = 1, 7 do
    parts[part] = {}
    for i = 1, 5 do parts[part][i] = BODIES[i][part] + 0.0 end
  end
  local x, y, z, vx, vy, vz, mass = table.unpack(parts)
  for _ = 1, rounds * 10000 do advance(x, y, z, vx, vy, vz, mass, 0.001) end
  return math.floor(-energy(x, y, z, vx, vy, vz, mass) * 1e12)
end
