"""Gradient flow conserves the imbalance of two adjacent linear layers; descent changes it at second order.

The loss may be any function of the product W2 W1, and the two layers may stand
inside a deeper product: only the chain rule enters. With one rate per layer the
imbalance is weighted by the rates.

Source: conservation after Arora, Cohen, Hazan 2018 and Du, Hu, Lee 2018; the
change under descent own.
"""

from toymodels.derive import Derivation, dot, norm, trace
from toymodels.linear import conservation, formulas

D = Derivation(
    "The imbalance of two linear layers is conserved by gradient flow, and changed by descent",
    source="after Arora, Cohen, Hazan 2018; the change under descent own",
)
m, d, c, k, n = D.sizes("m d c k n")
W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d)

D.remark("G is the gradient of any loss in the product W2 W1: the loss moves by <G, dW>.")
D.step(D.gradient(dot(G, W2 * W1), W1), "=", W2.T * G, because="chain rule in the first layer")
D.step(D.gradient(dot(G, W2 * W1), W2), "=", G * W1.T, because="chain rule in the second layer")
D.ships(formulas.chain, (W2.T * G, G * W1.T))

D.remark("Gradient flow with one rate per layer.")
rate1, rate2 = D.scalars("rate1 rate2", positive=True, constant=True)
D.flow({W1: -rate1 * W2.T * G, W2: -rate2 * G * W1.T})
upper = D.step(D.dt(W2.T * W2), "=", -rate2 * (W1 * G.T * W2 + W2.T * G * W1.T), because="product rule")
lower = D.step(D.dt(W1 * W1.T), "=", -rate1 * (W2.T * G * W1.T + W1 * G.T * W2), because="product rule")
weighted = rate1 * W2.T * W2 - rate2 * W1 * W1.T
D.conclude(D.dt(weighted), "=", 0, by=[upper, lower], because="the weights make the two cancel")
D.ships(conservation.weighted_imbalance, weighted)

D.remark("The same layers inside a product A W2 W1 B, H the gradient in the whole product, at equal rates.")
A, B, H = D.matrix("A", k, c), D.matrix("B", d, n), D.matrix("H", k, n)
imbalance = D.let(Lambda=W2.T * W2 - W1 * W1.T)
D.step(D.gradient(dot(H, A * W2 * W1 * B), W1), "=", W2.T * A.T * H * B.T, because="chain rule")
D.step(D.gradient(dot(H, A * W2 * W1 * B), W2), "=", A.T * H * B.T * W1.T, because="chain rule")
D.flow({W1: -W2.T * A.T * H * B.T, W2: -A.T * H * B.T * W1.T})
D.step(D.dt(imbalance), "=", 0, because="AᵀH Bᵀ is the gradient in W2 W1")
D.ships(formulas.imbalance, imbalance)

D.remark("One step of descent with learning rate lr: the first order cancels as above, the second stays.")
lr = D.scalar("lr", positive=True, constant=True)
D.steps({W1: W1 - lr * W2.T * G, W2: W2 - lr * G * W1.T}, because="gradient descent")
change = D.let(change=lr**2 * (W1 * G.T * G * W1.T - W2.T * G * G.T * W2))
moved = D.step(D.next(imbalance) - imbalance, "=", change, because="both squares are written out")
D.conclude(D.next(imbalance), "=", imbalance + change, by=[moved], because="nothing was left out")
D.step(
    trace(change),
    "=",
    lr**2 * (norm(G * W1.T) ** 2 - norm(W2.T * G) ** 2),
    because="each trace is the square of a gradient block",
)
D.ships(formulas.update, (W1 - lr * W2.T * G, W2 - lr * G * W1.T), step=lr * G)
D.ships(formulas.imbalance_change, change, step=lr * G)
