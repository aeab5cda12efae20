"""Margins grow at a rate of their own: e^q linearly for exponential loss, q + e^q for logistic loss.

On orthogonally separable data a true neuron adds to the margin q_i at least
the linear gain of its own sample, and a false one takes away less than before.
So a step of descent of any size gives q' ≥ q + c l(q) with c = eta A_i |x_i|²/n
(A_i the mass a_k² of the neurons that see i), and the flow q' ≥ c l(q) for eta = 1.

Source: own.
"""

from sympy import exp

from toymodels.derive import Derivation, gate, relu
from toymodels.solutions import margin_growth

D = Derivation("Margins grow on orthogonally separable data", source="own")

D.remark("What a neuron adds to a margin when its preactivation moves by v ≥ 0 the way it wants.")
z, v = D.scalar("z"), D.scalar("v", nonnegative=True)
D.step(relu(z + v) - relu(z), ">=", gate(z) * v, because="a true neuron that lives gains v")
D.step(relu(z), ">=", relu(z - v), because="a false neuron takes away less")

D.remark("Exponential loss, one step: u = e^q = 1/l goes to at least u e^{c l}, and e^{c l} is 1 + c l + h.")
x, h = D.scalars("x h", nonnegative=True)
D.step(exp(x), ">=", 1 + x, because="so h ≥ 0")
u, c = D.scalars("u c", positive=True)
s, more = D.scalar("s"), D.scalar("h_1", nonnegative=True)
D.step(u * (1 + c / u + h), ">=", u + c, slack=u * h, because="1/l e^{c l} ≥ 1/l + c")
D.constant(c)
D.steps({u: u + c + more, s: s + 1}, because="one step, with anything more that it gains")
D.step(D.next(u - c * s), ">=", u - c * s, slack=more, because="so u ≥ u_0 + c s after s steps")
D.remark("So l ≤ 1/(1/l_0 + c s); stochastic descent counts the steps in which the sample was drawn.")

D.remark("Under the flow, with anything more that the margin gains.")
q = D.scalar("q")
rate = D.scalar("k", positive=True, constant=True)
D.flow({q: rate * exp(-q) + more})
D.step(D.dt(exp(q)), "=", rate + more * exp(q), because="chain rule: at least k")

D.remark("Logistic loss: l' is 1/(1 + e^q) in size, one over the slope of q + e^q.")
D.flow({q: rate / (1 + exp(q)) + more})
D.step(D.dt(q + exp(q)), "=", rate + more * (1 + exp(q)), because="chain rule: at least k")
Q, H = D.scalars("Q H", positive=True)
with D.case(1 + h <= H):
    D.step(
        (h + Q * H) - Q,
        ">=",
        (1 + Q) * h,
        slack=Q * (H - 1 - h),
        because="one step q -> q + h, Q = e^q and H = e^h: q + e^q is convex, so it gains (1 + e^q) h ≥ c",
    )

D.remark(
    "One orthogonal sample gains no more; the time in which q rises by c I, I the integral of the slope."
)
I, q0 = D.scalar("I", positive=True), D.scalar("q_0")
rise = D.let(rise=exp(q0 + c * I) - exp(q0))
D.step(D.gradient(rise / c, I), "=", exp(q0 + c * I), because="exponential loss: I' is e^{-q}")
D.step(D.gradient(I + rise / c, I), "=", 1 + exp(q0 + c * I), because="logistic loss: I' is 1/(1 + e^q)")
D.ships(margin_growth.exponential_time, rise / c, q0=q0, rise=I)
D.ships(margin_growth.logistic_time, I + rise / c, q0=q0, rise=I)
