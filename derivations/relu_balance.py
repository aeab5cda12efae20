"""Euler's identity of a ReLU network, and what it says of the flow: balance, signs, growth of the norms.

A neuron's output is homogeneous of degree one in each of its layers, so
a dL/da = w.dL/dw. Gradient flow keeps a² - |w|², a descent step changes it by
eta² times that of the gradient, and both layers grow alike.

Source: own; well known.
"""

from toymodels.derive import Derivation, diag, diagonal, dot, hadamard, norm, relu
from toymodels.relu import formulas

D = Derivation("Balance and growth of the neurons of a ReLU network", source="own; well known")
n, d, m = D.sizes("n d m", most=3)
x, w, a = D.vector("x", d, constant=True), D.vector("w", d), D.scalar("a")

D.remark("Euler's identity at every point, kinks too, for relu'(0) = 0.")
output = D.let(output=a * relu(dot(w, x)))
D.step(dot(D.gradient(output, w), w), "=", output, because="relu is homogeneous")
D.step(a * D.gradient(output, a), "=", output, because="linear in a")

D.remark("So every loss has dL/dw = a S and dL/da = w.S for a sum S of samples that the neuron sees.")
S, eta = D.vector("S", d, constant=True), D.scalar("eta", constant=True)
D.flow({w: -a * S, a: -dot(w, S)}, because="gradient flow")
up = D.step(D.dt(a**2), "=", -2 * a * dot(w, S), because="chain rule")
down = D.step(D.dt(norm(w) ** 2), "=", -2 * a * dot(w, S), because="chain rule")
kept = D.conclude(D.dt(a**2 - norm(w) ** 2), "=", 0, by=[up, down])
D.steps({w: w - eta * a * S, a: a - eta * dot(w, S)}, because="gradient descent")
D.step(
    D.next(a**2 - norm(w) ** 2),
    "=",
    a**2 - norm(w) ** 2 + eta**2 * (dot(w, S) ** 2 - norm(a * S) ** 2),
    because="the first order cancels, as under the flow",
)

D.remark(
    "If a² ≥ |w|² at the start, so at all times, then |a'| ≤ |S| |a|: log|a| stays finite, and a its sign."
)
with D.case(a**2 >= norm(w) ** 2):
    D.step(
        D.dt(a) ** 2,
        "<=",
        norm(S) ** 2 * a**2,
        slack=(a**2 - norm(w) ** 2) * norm(S) ** 2 + norm(w * S.T - S * w.T) ** 2 / 2,
        because="Cauchy-Schwarz",
    )

D.remark("The whole network at fixed gates G, for any slope c_i = π_i l'_i of the loss.")
X, W, b = D.matrix("X", n, d, constant=True), D.matrix("W", m, d), D.vector("b", m)
G, c = D.matrix("G", m, n, constant=True), D.vector("c", n, constant=True)
f, sums = D.let(f=hadamard(G, W * X.T).T * b, sums=G * diag(c) * X)
first, second = D.let(first=diag(b) * sums, second=diagonal(W * sums.T))
D.step(hadamard(b, second), "=", diagonal(W * first.T), because="Euler's identity, neuron by neuron")
D.flow({W: -first, b: -second}, because="gradient flow")
balance, change = D.let(
    balance=hadamard(b, b) - diagonal(W * W.T), change=hadamard(second, second) - diagonal(first * first.T)
)
D.step(D.dt(balance), "=", 0, because="Euler's identity")
D.steps({W: W - eta * first, b: b - eta * second}, because="gradient descent")
D.step(D.next(balance) - balance, "=", eta**2 * change, because="the first order cancels")
outer = D.step(D.dt(norm(b) ** 2), "=", -2 * dot(f, c), because="Euler's identity, summed over the neurons")
inner = D.step(D.dt(norm(W) ** 2), "=", -2 * dot(f, c), because="the same with the output weights at rest")
D.conclude(D.dt(norm(b) ** 2 + norm(W) ** 2), "=", -4 * dot(f, c), by=[outer, inner])
D.ships(formulas.imbalance, balance, a=b)
D.ships(formulas.imbalance_change, change)
D.ships(formulas.norm_growth, -dot(f, c), outputs=f, slope=c)
