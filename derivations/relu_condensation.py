"""Small neurons in a frozen field: where they turn, which of them die, and the fractions that live.

While outputs are small the residuals c_i do not move. A neuron's direction
climbs (sign a times) the potential P = sum_i c_i relu(h.x_i). On two directions
with u > v a negative neuron lives exactly when it reaches the kink of x_plus
before that of x_minus: the ray of mu = u x_plus - v x_minus divides them, at the
angle beta from x_plus, so a share 1/8 + (beta + Delta)/(4 pi) of all neurons is
negative and lives.

Source: own; the model after Wang, Ma 2023.
"""

from sympy import Rational, cos, pi, sin

from toymodels.derive import Derivation, dot, norm, ones
from toymodels.relu import frozen

D = Derivation("Condensation of small ReLU neurons", source="own; the model after Wang, Ma 2023")
d = D.sizes("d")

D.remark("In the plane: the neuron at the angle φ, a sample of norm X at ψ that it sees, of residual c.")
phi, psi, c0, X = D.scalars("phi psi c_0 X")
D.step(
    D.gradient(c0 * X * cos(phi - psi), phi),
    "=",
    c0 * X * (cos(psi) * (-sin(phi)) + sin(psi) * cos(phi)),
    because="the slope of P is the part of c x across the neuron: φ' is a/|w| times it",
)

D.remark("Two unit samples at an angle of cosine c; u > c v. A neuron active on both moves along mu.")
plus, minus = (
    D.matrix("x_plus", d, 1, "frame", constant=True),
    D.matrix("x_minus", d, 1, "frame", constant=True),
)
u, v, b = D.scalars("u v b", positive=True, constant=True)
c = D.let(c=dot(plus, minus))
mu = D.let(mu=u * plus - v * minus)
w = D.vector("w", d)
D.flow({w: b * mu}, because="positive, active on both")
D.step(D.dt(dot(w, plus)), "=", b * (u - c * v), because="|x_plus| = 1: it stays active on x_plus")
D.step(D.dt(dot(w, minus)), "=", b * (u * c - v), because="|x_minus| = 1: rising iff u c > v")
D.flow({w: b * u * plus}, because="positive, active on x_plus alone")
D.step(D.dt(dot(w, minus)), "=", b * u * c, because="it meets the kink of x_minus after -z_minus/(b u c)")
D.flow({w: -b * v * minus}, because="positive, active on x_minus alone")
D.step(D.dt(dot(w, minus)), "=", -b * v, because="it dies after z_minus/(b v)")
D.flow({w: b * v * minus}, because="negative, active on x_minus alone")
D.step(
    D.dt(dot(w, plus)),
    "=",
    b * v * c,
    because="it meets the kink of x_plus after -z_plus/(b v c), and slides",
)

D.remark("Negative, active on both: z_plus and z_minus fall, and the ray of mu has them vanish together.")
D.flow({w: -b * mu})
D.step(
    D.dt(dot(mu, plus) * dot(w, minus) - dot(mu, minus) * dot(w, plus)), "=", 0, because="w moves along mu"
)
D.step(norm(mu) ** 2 - dot(mu, plus) ** 2, "=", v**2 * (1 - c**2), because="so tan(beta) = v s/(u - c v)")
Delta, beta = D.scalar("Delta", between=(0, pi / 2)), D.scalar("beta", between=(0, pi))
D.step(
    Rational(1, 2) * ((pi / 2 + beta) + Delta) / (2 * pi),
    "=",
    Rational(1, 8) + (beta + Delta) / (4 * pi),
    because="half the neurons are negative; from mu to the kink of x_plus, and those that see x_minus alone",
)
time = D.scalar("t", positive=True)
D.ships(frozen.hidden_flow, (w - b * time * mu).T, W=w.T, a=-b * ones(1), U=mu.T, t=time * ones(1))
