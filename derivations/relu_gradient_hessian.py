"""Gradient, Hessian and tangent kernel of a two-layer ReLU network inside a cell.

For f(x) = a.relu(W x) the gates are constant inside a cell, and there the
gradient is the chain rule through gated sums U_k of the samples. The Hessian is
a Gauss-Newton part and a coupling of a_k with w_k alone, whose eigenvalues are
plus and minus |U_k|. The kernel is a sum over neurons, hence over partition
classes. With a fixed the loss is convex in a cell.

Source: own; most of it is well known.
"""

from toymodels.derive import Derivation, diag, diagonal, dot, gate, hadamard, norm, ones, relu
from toymodels.relu import formulas

D = Derivation("Gradient and Hessian of a two-layer ReLU network in a cell", source="own; well known")
n, d, m = D.sizes("n d m", most=3)
X, W, a = D.matrix("X", n, d, constant=True), D.matrix("W", m, d), D.vector("a", m)
V, b = D.matrix("V", m, d), D.vector("b", m)

D.remark("Along V the preactivations move by V Xᵀ and no gate turns; relu'(0) = 0.")
D.step(
    D.along(relu(W * X.T), {W: V}),
    "=",
    hadamard(gate(W * X.T), V * X.T),
    because="relu is linear on either side of its kink",
)
D.step(relu(W * X.T), "=", hadamard(gate(W * X.T), W * X.T), because="relu(z) = gate(z) z")

D.remark("So inside a cell the outputs are those of constant gates G, and they are linear in W.")
G = D.matrix("G", m, n, constant=True)
H = D.let(H=hadamard(G, W * X.T))
f = D.let(f=H.T * a)
D.ships(formulas.preactivations, W * X.T)
D.ships(formulas.outputs, f, gates=G)

D.remark("A loss sum_i π_i l(y_i f_i) of the margins, for any l; c_i = π_i y_i l'(y_i f_i), S_k = -U_k.")
pi, y, l = D.vector("pi", n), D.vector("y", n), D.function("l", degree=3)
loss = D.let(loss=dot(pi, l(hadamard(y, f))))
slope = D.let(slope=hadamard(hadamard(pi, y), l.d(hadamard(y, f))))
sums = D.let(sums=G * diag(slope) * X)
D.step(D.gradient(loss, W), "=", diag(a) * sums, because="f_i moves by a_k G_ki x_i with w_k")
D.step(D.gradient(loss, a), "=", diagonal(W * sums.T), because="f_i moves by G_ki w_k.x_i with a_k")
c = D.vector("c", n, constant=True)
S = D.let(S=G * diag(c) * X)
D.ships(formulas.gated_sums, S, gates=G, cotangent=c)
D.ships(formulas.chain, (diag(a) * S, diagonal(W * S.T)), sums=S)
D.ships(formulas.vjp, (diag(a) * S, diagonal(W * S.T)), gates=G, cotangent=c)

D.remark("The Hessian along (V, b).")
df = D.let(df=hadamard(G, V * X.T).T * a + H.T * b)
D.step(D.along(f, {W: V, a: b}), "=", df, because="product rule")
curvature = D.let(curvature=hadamard(hadamard(pi, hadamard(y, y)), l.d(hadamard(y, f), 2)))
pushed = D.let(pushed=G * diag(hadamard(curvature, df)) * X)
D.step(
    D.along(diag(a) * sums, {W: V, a: b}),
    "=",
    diag(a) * pushed + diag(b) * sums,
    because="through the slope and through a_k",
)
D.step(
    D.along(diagonal(W * sums.T), {W: V, a: b}),
    "=",
    diagonal(W * pushed.T) + diagonal(V * sums.T),
    because="through the slope and through w_k",
)
h = D.vector("h", n)
pushed_h = G * diag(hadamard(h, df)) * X
D.ships(formulas.jvp, df, D=V, gates=G)
D.ships(
    formulas.hvp,
    (diag(a) * pushed_h + diag(b) * S, diagonal(W * pushed_h.T) + diagonal(V * S.T)),
    D=V,
    gates=G,
    slope=c,
    curvature=h,
)

D.remark(
    "The coupling of one neuron takes (v, b) to (-b U, -v.U): no other neuron enters. With U = σ u and "
    "|u| = 1 it has the eigenvalues σ and -σ, and 0 on (v, 0) for v across u."
)
u, v, sigma = D.matrix("u", d, 1, "frame"), D.vector("v", d), D.scalar("sigma", nonnegative=True)
across = v - dot(u, v) * u
U = D.let(U=sigma * u)
D.step(-dot(u, U), "=", -sigma, because="|u| = 1: along (u, -1) the blocks are U = σ u and -σ = σ (-1)")
D.step(-dot(across, U), "=", 0, because="along (v, 0) with v across u")
D.step(norm(U) ** 2, "=", sigma**2, because="so σ = |U|")
D.remark("The neurons e of a partition class share U, so with h on the class there are as many of ±|U|.")
e, g = D.vector("e", m, "binary"), D.vector("g", m)
own, T = D.let(own=hadamard(e, g)), D.matrix("T", m, d)
class_sums = D.let(class_sums=-e * U.T + diag(ones(m) - e) * T)
D.step(
    diag(-own) * class_sums, "=", sigma * own * u.T, because="e_k² = e_k; the first block along (h uᵀ, -h)"
)
D.step(
    diagonal(own * u.T * class_sums.T),
    "=",
    -sigma * own,
    because="|u| = 1; the second block along (h uᵀ, -h)",
)
D.step(diag(own) * class_sums, "=", -sigma * own * u.T, because="the first block along (h uᵀ, h)")
D.ships(formulas.chain, (sigma * own * u.T, -sigma * own), W=own * u.T, a=-own, sums=class_sums)

D.remark("The tangent kernel: the outputs move along Jᵀc by K c.")
hidden, output = D.let(hidden=hadamard(X * X.T, G.T * diag(hadamard(a, a)) * G), output=H.T * H)
D.step(
    D.along(f, {W: diag(a) * S, a: diagonal(W * S.T)}),
    "=",
    (hidden + output) * c,
    because="one part from each layer",
)
k = D.index("k", m)
of_neuron = a[k, 0] ** 2 * X * X.T + X * W.row(k) * W.row(k).T * X.T
D.step(
    hidden + output,
    "=",
    D.sum_over(k, diag(G.row(k)) * of_neuron * diag(G.row(k))),
    because="each neuron sees the samples through its gates",
)
s = D.vector("s", n)
D.step(
    D.substitute(hidden + output, {G: ones(m) * s.T}),
    "=",
    diag(s) * (norm(a) ** 2 * X * X.T + X * (W.T * W) * X.T) * diag(s),
    because="for the neurons of one pattern s: A_S = sum a_k², C_S = sum w_k w_kᵀ",
)
D.ships(formulas.hidden_ntk, hidden, gates=G)
D.ships(formulas.output_ntk, output, gates=G)
D.ships(formulas.hidden_ntk_of_classes, hadamard(X * X.T, G.T * diag(a) * G), A=a, patterns=G)

D.remark("With a fixed f is linear in W, so inside a cell the loss is convex; h = r² is its curvature.")
D.step(D.along(f, {W: V}, order=2), "=", 0, because="f is linear in W at fixed gates")
D.step(
    D.along(loss, {W: V}, order=2),
    "=",
    dot(curvature, hadamard(D.along(f, {W: V}), D.along(f, {W: V}))),
    because="chain rule",
)
r = D.vector("r", n)
D.step(dot(hadamard(r, r), hadamard(df, df)), ">=", 0, slack=norm(hadamard(r, df)) ** 2, because="π l'' = r²")
p = D.sizes("p", most=3)
J, R = D.matrix("J", n, p), D.matrix("R", n, n, "diagonal")
t, z = D.vector("t", p), D.vector("z", n)
D.step(
    dot(t, J.T * R**2 * J * t),
    "=",
    norm(R * J * t) ** 2,
    because="the sharpness is the largest |R J t|², |t| = 1",
)
D.step(
    dot(z, R * (J * J.T) * R * z),
    "=",
    norm((R * J).T * z) ** 2,
    because="R J and its transpose have one norm",
)
D.remark("So the sharpness is the largest eigenvalue of R K R.")
