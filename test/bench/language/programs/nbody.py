"""Arrays of numbers in functions: the sun and four planets, 10,000 steps a round."""

from math import floor, sqrt

BODIES = [
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743],
    [4.84143144246472090, -1.16032004402742839, -0.103622044471123109, 0.606326392995832, 2.81198684491626016, -0.02521836165988763, 0.03769367487038949],
    [8.34336671824457987, 4.12479856412430479, -0.403523417114321381, -1.01077434617879, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767],
    [12.8943695621391310, -15.1111514016986312, -0.223307578892655734, 1.0827910064415354, 0.8687130181696081, -0.010832637401363636, 0.0017237240570597112],
    [15.3796971148509165, -25.9193146099879641, 0.179258772950371181, 0.979090732243898, 0.5946989986476762, -0.034755955504078104, 0.0020336868699246304],
]


def advance(x, y, z, vx, vy, vz, mass, dt):
    for i in range(5):
        for j in range(i + 1, 5):
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            dz = z[i] - z[j]
            square = dx * dx + dy * dy + dz * dz
            mag = dt / (square * sqrt(square))
            vx[i] -= dx * mass[j] * mag
            vy[i] -= dy * mass[j] * mag
            vz[i] -= dz * mass[j] * mag
            vx[j] += dx * mass[i] * mag
            vy[j] += dy * mass[i] * mag
            vz[j] += dz * mass[i] * mag
    for i in range(5):
        x[i] += dt * vx[i]
        y[i] += dt * vy[i]
        z[i] += dt * vz[i]


def energy(x, y, z, vx, vy, vz, mass):
    e = 0.0
    for i in range(5):
        e += 0.5 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i] + vz[i] * vz[i])
        for j in range(i + 1, 5):
            dx = x[i] - x[j]
            dy = y[i] - y[j]
            dz = z[i] - z[j]
            e -= mass[i] * mass[j] / sqrt(dx * dx + dy * dy + dz * dz)
    return e


def run(rounds):
    x, y, z, vx, vy, vz, mass = (list(part) for part in zip(*BODIES))
    for _ in range(rounds * 10_000):
        advance(x, y, z, vx, vy, vz, mass, 0.001)
    return floor(-energy(x, y, z, vx, vy, vz, mass) * 1e12)
