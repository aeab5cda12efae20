"""Label noise on diagonal networks beta = u v: scales decay, rho keeps to the row space, and l1 is selected.

The minima minimise sum_j M_j (u_j² + v_j²) along them, M_j the moment of input
j. So alpha_j² decays as exp(-sigma² M_j tau): a late decay lands where gradient
flow would from a smaller alpha, in the end at the least sum_j M_j |beta_j|.
The sharpness at a minimum bounds that of the edge of stability.

Source: own; the bound at the edge after Nacson, Ravichandran, Srebro, Soudry 2022.
"""

from sympy import log

from toymodels.derive import Derivation, block, diag, diagonal, dot, hadamard, norm, ones, quad, trace
from toymodels.manifold import diagonal_formulas

D = Derivation(
    "Label noise on diagonal linear networks",
    source="own; the bound at the edge after Nacson, Ravichandran, Srebro, Soudry 2022",
)
n, d = D.sizes("n d", most=3)

D.remark("The trace of the Hessian, at every point.")
X, y = D.matrix("X", n, d, constant=True), D.vector("y", n, constant=True)
u, v = D.vector("u", d), D.vector("v", d)
moments = D.let(M=diagonal(X.T * X) / n)
loss = D.let(loss=norm(X * hadamard(u, v) - y) ** 2 / (2 * n))
squares = D.let(squares=hadamard(u, u) + hadamard(v, v))
D.step(
    trace(D.hessian(loss, u)) + trace(D.hessian(loss, v)),
    "=",
    dot(moments, squares),
    because="the diagonal blocks are those of Jᵀ Σ J: u v is linear in each",
)

D.remark(
    "Along the minima, one coordinate: -(sigma²/4) grad tr H less any normal (v, u) z, z in the row space."
)
a, b = D.scalars("u_j v_j", positive=True)
z, M = D.scalar("z", constant=True), D.scalar("M_j", positive=True, constant=True)
sigma = D.scalar("sigma", positive=True, constant=True)
D.flow({a: -(sigma**2) / 2 * M * a - b * z, b: -(sigma**2) / 2 * M * b - a * z})
D.step(
    D.dt((a**2 - b**2) / 2),
    "=",
    -(sigma**2) * M * (a**2 - b**2) / 2,
    because="the normal part drops out: alpha²",
)
gap = D.scalar("gap", positive=True)
D.flow(
    {
        gap: -(sigma**2) / 2 * M * gap + z * gap,
        a: -(sigma**2) / 2 * M * a - b * z,
        b: -(sigma**2) / 2 * M * b - a * z,
    }
)
D.step(D.dt(a - b), "=", (z - sigma**2 / 2 * M) * (a - b), because="2 w- moves as gap does")
D.step(D.dt(log((a + b) / gap)), "=", -2 * z, because="rho stays in rho_0 plus the row space")

D.remark("The same from the exact step: log(1 - x²) is -x², and E x² = eta² sigma² M_j.")
xi, eta = D.vector("xi", n), D.scalar("eta", positive=True, constant=True)
i = D.index("i", n)
D.step(
    D.mean_over(i, hadamard(sigma * X.row(i), sigma * X.row(i))),
    "=",
    sigma**2 * moments,
    because="batch 1: g_j = -sigma ξ x_ij",
)
D.step(
    D.expectation(hadamard(sigma / n * X.T * xi, sigma / n * X.T * xi), xi),
    "=",
    sigma**2 / n * moments,
    because="the full batch",
)
D.step(
    D.mean_over(
        i,
        hadamard(X.row(i), X.row(i))
        * (sigma**2 + eta * sigma**2 / 2 * dot(hadamard(X.row(i), X.row(i)), squares)),
    ),
    "=",
    sigma**2
    * (
        moments
        + eta / 2 * D.mean_over(i, hadamard(X.row(i), X.row(i)) * dot(hadamard(X.row(i), X.row(i)), squares))
    ),
    because="with E r_i² = (eta sigma²/2) |grad f_i|²: the rate to first order in eta",
)

D.remark("What it descends: on the minima tr H ≥ 2 sum M_j |u_j v_j|, with equality for |u| = |v|.")
D.step(
    M * (a**2 + b**2),
    ">=",
    2 * M * (a * b),
    slack=M * (a - b) ** 2,
    because="so the end is the least weighted l1 norm",
)
D.step(M * (a**2 + b**2), ">=", -2 * M * (a * b), slack=M * (a + b) ** 2, because="for either sign")
x, more, label = D.scalars("x more label", positive=True)
D.remark(
    "One sample (x, x + more): M = x², and the smaller input costs less here, the larger one in plain l1."
)
D.step(
    (x + more) ** 2 * (label / (x + more)),
    ">=",
    x**2 * (label / x),
    slack=more * label,
    because="M_j |beta_j| with beta_j = label/x_j: label noise selects the smaller input",
)
D.step(
    label / x,
    ">=",
    label / (x + more),
    slack=label * more / (x * (x + more)),
    because="|beta_j|: a small start selects the larger one",
)

D.remark("At the edge: the nonzero spectrum of H is that of X diag(u² + v²) Xᵀ/n; 1/√n tests it.")
kernel = D.let(kernel=X * diag(squares) * X.T / n)
J = D.let(J=X * diag(u) * diag(u) * X.T + X * diag(v) * diag(v) * X.T)
D.step(J / n, "=", kernel, because="J Jᵀ/n with J = [X diag v, X diag u]")
means = D.let(mean_x=X.T * ones(n) / n)
D.step(
    quad(kernel, ones(n)) / n,
    "=",
    dot(hadamard(means, means), squares),
    because="so lam_max ≥ sum mean_j² (u_j² + v_j²) ≥ 2 sum mean_j² |beta_j|",
)
D.step(trace(kernel), "=", dot(moments, squares), because="so lam_max ≥ tr H/n ≥ (2/n) sum M_j |beta_j|")
D.ships(diagonal_formulas.ntk, n * kernel, slopes=block([[v.T], [u.T]]))
