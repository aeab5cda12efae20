"""What a ReLU neuron does at a kink: it crosses, or slides along it with a gate between 0 and 1.

Where w.x = 0 for a sample x the field of the neuron jumps by a π g x. If it
points to the kink from both sides (v_on < 0 < v_off) the neuron slides: with
the gate q = v_off/(v_off - v_on) the normal velocity vanishes, and what is left
is the projection of the field onto the kink. The balance a² - |w|² is kept.

Source: own; the sliding flow after Filippov, well known.
"""

from toymodels.derive import Derivation, dot, identity, norm, ones
from toymodels.relu import formulas

D = Derivation("Sliding along the kinks of a ReLU network", source="own; the sliding flow is Filippov's")
d, k = D.sizes("d k", most=4)

D.remark("A neuron (w, a) at the kink of x = l e, |e| = 1: U from the other samples, p = π g from this one.")
e, U = D.matrix("e", d, 1, "frame", constant=True), D.vector("U", d, constant=True)
l, p = D.scalar("l", positive=True, constant=True), D.scalar("p", nonzero=True, constant=True)
w, a = D.vector("w", d), D.scalar("a", nonzero=True)
x, gate = D.let(x=l * e), D.scalar("q")
D.flow({w: a * (U + gate * p * x), a: dot(w, U + gate * p * x)}, because="the field with the gate q")
off, on = D.let(off=a * dot(U, x), on=a * dot(U + p * x, x))
speed = D.step(D.dt(dot(w, x)), "=", off + gate * (on - off), because="the field is linear in the gate")
jump = D.step(on - off, "=", a * p * norm(x) ** 2, because="|e| = 1")
D.conclude(D.dt(dot(w, x)), "=", off + gate * a * p * norm(x) ** 2, by=[speed, jump])
D.remark("Crossing needs one sign of both; v_on < 0 < v_off needs a p < 0: the neuron is false for x.")

D.remark("The gate at which it rests on the kink lies between 0 and 1, and leaves the projected field.")
v_off, v_on = D.scalar("v_off", positive=True), D.scalar("v_on", negative=True)
share = D.let(share=v_off / (v_off - v_on))
D.step(v_off + share * (v_on - v_off), "=", 0, because="the normal velocity vanishes")
D.step(share, ">", 0, because="v_on < 0 < v_off")
D.step(1 - share, "=", v_on / (v_on - v_off), because="common denominator")
D.step(v_on / (v_on - v_off), ">", 0, because="v_on < 0 < v_off")
sliding = D.let(sliding=off / (off - on))
D.step(
    a * (U + sliding * p * x),
    "=",
    a * (identity(d) - e * e.T) * U,
    because="the field loses its part along x, whatever p is",
)
D.step(
    off + (on - off) / 2,
    "=",
    a * l * dot(e, U) + a * p * l**2 / 2,
    because="the gate 1/2 of some conventions leaves the kink",
)

D.remark("Several kinks, x_i = rows of T Eᵀ with orthonormal columns E: gates that make every x_i.w' = 0.")
E, T = D.matrix("E", d, k, "frame"), D.matrix("T", k, k, "invertible")
shares = D.let(shares=-T.T.I * E.T * U)
D.step(T * E.T * (U + (T * E.T).T * shares), "=", 0, because="the Gram system of the kinks")
D.step(
    U + (T * E.T).T * shares,
    "=",
    (identity(d) - E * E.T) * U,
    because="the projection onto all kinks; the shares are q_i π_i g_i",
)

D.remark("A sliding neuron, w on the kink, keeps its balance, and its output weight moves as with any gate.")
z = D.vector("z", d)
flat = D.let(flat=z - dot(e, z) * e)
D.step(dot(flat, x), "=", 0, because="|e| = 1: any w on the kink is of this form")
D.step(dot(flat, U + gate * p * x), "=", dot(flat, U), because="so a' does not see the gate")
D.step(
    2 * a * dot(flat, U) - 2 * dot(flat, a * (identity(d) - e * e.T) * U),
    "=",
    0,
    because="(a² - |w|²)' under the projected field",
)

D.ships(
    formulas.chain,
    (-(a * (identity(d) - e * e.T) * U).T, -dot(flat, U) * ones(1)),
    W=flat.T,
    a=a * ones(1),
    sums=-(U + sliding * p * x).T,
)

D.remark(
    "Unit samples at an angle of cosine c, pulling with u > 0 and -v < 0; a = -b slides along the first kink."
)
plus, minus = D.matrix("x_plus", d, 1, "frame"), D.matrix("x_minus", d, 1, "frame")
u, v, b = D.scalars("u v b", positive=True)
c = D.let(c=dot(plus, minus))
held = D.let(held=v * c / u)
velocity = D.let(velocity=-b * (held * u * plus - v * minus))
D.step(dot(velocity, plus), "=", 0, because="its gate is v c/u")
D.step(
    -b * dot(velocity, minus),
    "=",
    -(b**2) * v * (1 - c**2),
    because="c² + s² = 1: its output on x_minus falls at b² s² v",
)
