"""Gradient and Hessian of the mean square loss of two linear layers, from the loss.

For f(x) = W2 W1 x the loss depends on the data through three statistics and on
the weights through W = W2 W1. Its gradient in the layers is the chain rule; its
Hessian is a Gauss-Newton part and a residual part, and the residual part alone
has the eigenvalues plus and minus the singular values of the gradient in W.

Source: own; the gradient and the two parts are standard.
"""

from toymodels.derive import Derivation, dot, identity, norm
from toymodels.linear import formulas

D = Derivation("Gradient and Hessian of the mean square loss of two linear layers", source="own")
n, d, m, c = D.sizes("n d m c")
X, Y = D.matrix("X", n, d), D.matrix("Y", n, c)
W1, W2, W = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("W", c, d)
D1, D2 = D.matrix("D1", m, d), D.matrix("D2", c, m)

D.remark("The data enter through three statistics alone.")
loss = D.let(loss=norm(X * W1.T * W2.T - Y) ** 2 / (2 * n))
Sxx, Syx, tyy = D.let(Sxx=X.T * X / n, Syx=Y.T * X / n, tyy=norm(Y) ** 2 / n)
D.step(
    loss,
    "=",
    tyy / 2 - dot(W2 * W1, Syx) + dot(W2 * W1 * Sxx, W2 * W1) / 2,
    because="the square expands into traces",
)
D.ships(formulas.loss, loss)
D.ships(formulas.statistics, (Sxx, Syx, tyy))
D.ships(formulas.loss_from_statistics, loss)

D.remark("The gradient in the product W, then by the chain rule in the layers.")
D.step(
    D.gradient(norm(X * W.T - Y) ** 2 / (2 * n), W),
    "=",
    W * Sxx - Syx,
    because="the loss is a quadratic form in W",
)
G = D.let(G=W2 * W1 * Sxx - Syx)
first = D.step(D.gradient(loss, W1), "=", W2.T * G, because="W moves by W2 dW1")
second = D.step(D.gradient(loss, W2), "=", G * W1.T, because="W moves by dW2 W1")
D.conclude(
    dot(D.gradient(loss, W1), D1) + dot(D.gradient(loss, W2), D2),
    "=",
    dot(W2.T * G, D1) + dot(G * W1.T, D2),
    by=[first, second],
    because="the slope along (D1, D2) is the sum over the layers",
)
D.ships(formulas.residual, G)
D.ships(formulas.gradient, (W2.T * G, G * W1.T))
D.ships(formulas.sample_gradient, (W2.T * G, G * W1.T))

D.remark("Along (D1, D2) the gradient moves by the Hessian applied to (D1, D2).")
both = {W1: D1, W2: D2}
dW = D.let(dW=W2 * D1 + D2 * W1)
D.step(D.along(W2 * W1, both), "=", dW, because="product rule")
D.step(D.along(G, both), "=", dW * Sxx, because="G is affine in W")
third = D.step(D.along(W2.T * G, both), "=", W2.T * dW * Sxx + D2.T * G, because="product rule")
fourth = D.step(D.along(G * W1.T, both), "=", dW * Sxx * W1.T + G * D1.T, because="product rule")
D.conclude(
    D.along(D.gradient(loss, W1), both),
    "=",
    W2.T * dW * Sxx + D2.T * G,
    by=[first, third],
    because="Gauss-Newton part and residual part",
)
D.conclude(
    D.along(D.gradient(loss, W2), both),
    "=",
    dW * Sxx * W1.T + G * D1.T,
    by=[second, fourth],
    because="Gauss-Newton part and residual part",
)
D.step(
    D.along(loss, both, order=2),
    "=",
    norm(X * dW.T) ** 2 / n + 2 * dot(G, D2 * D1),
    because="the outputs move by X dWᵀ, and the product has the second derivative 2 D2 D1",
)
D.ships(formulas.product_tangent, dW)
D.ships(formulas.gauss_newton_hvp, (W2.T * dW * Sxx, dW * Sxx * W1.T))
D.ships(formulas.residual_hvp, (D2.T * G, G * D1.T))
D.ships(formulas.hvp, (W2.T * dW * Sxx + D2.T * G, dW * Sxx * W1.T + G * D1.T))

D.remark(
    "The residual part alone. If R v = σ u and Rᵀu = σ v for unit u, v, each hidden direction h gives the "
    "eigenvectors (h vᵀ, u hᵀ) of σ and (h vᵀ, -u hᵀ) of -σ: m of each."
)
u, v = D.matrix("u", c, 1, "frame"), D.matrix("v", d, 1, "frame")
T, h = D.matrix("T", c, d), D.vector("h", m)
sigma = D.scalar("sigma")
R = D.let(R=sigma * u * v.T + (identity(c) - u * u.T) * T * (identity(d) - v * v.T))
D.step(R * v, "=", sigma * u, because="vᵀv = 1, and the rest of R vanishes on v")
D.step((u * h.T).T * R, "=", sigma * h * v.T, because="uᵀu = 1; the first block along (h vᵀ, u hᵀ)")
D.step(R * (h * v.T).T, "=", sigma * u * h.T, because="vᵀv = 1; the second block along (h vᵀ, u hᵀ)")
D.step(-(u * h.T).T * R, "=", -sigma * h * v.T, because="along (h vᵀ, -u hᵀ) both blocks change sign")
D.ships(formulas.residual_hvp, (sigma * h * v.T, sigma * u * h.T), D1=h * v.T, D2=u * h.T, G=R)
