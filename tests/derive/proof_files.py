"""A user's file with a line of every kind, right and wrong."""

LEMMA = """from toymodels.derive import Derivation

D = Derivation("Squares are not negative")
x = D.scalar("x")
D.step(x**2 + 1, ">", 0, slack=None)
"""

EVERY_KIND = '''"""All kinds of lines."""
import sympy as sp
from toymodels.derive import Derivation, norm
from toymodels.linear import formulas

D = Derivation("Every kind of line, 50% & more_of it: λ ≤ $W_1^\\\\top W_2$", source="after Müller_2020 #3")
m, d, c, n = D.sizes("m d c n")
W1, W2, G = D.matrix("W1", m, d), D.matrix("W2", c, m), D.matrix("G", c, d, constant=True)
Y = D.matrix("Y", c, d, "low rank", constant=True)
x, y, lr = D.scalars("x y lr")
p = D.scalar("p", positive=True)
phi = D.function("phi")
D.assume(lr > 0)
D.flow({W1: -W2.T * G, W2: -G * W1.T}, because="flow of any loss, |G| its slope")
D.remark("Two layers, in prose: a_1 * b_2 < 3 {really}.")
first = D.step(D.dt(W1 * W1.T), "=", -W2.T * G * W1.T - W1 * G.T * W2, because="product rule")
D.conclude(2 * D.dt(W1 * W1.T), "=", -2 * W2.T * G * W1.T - 2 * W1 * G.T * W2, by=[first])
D.conclude((x + y) ** 2, "=", x**2 + 2 * x * y + y**2, by=[first])
D.step(D.dt(W1), "=", W2.T * G, because="sign forgotten")
D.step(2 * x * y, "<=", x**2 + y**2, slack=(x - y) ** 2)
D.step(x + y, "=", y + x)
D.step(norm(W1) ** 2, "=", norm(W1.T) ** 2, D.lemma("lemma"))
D.step(D.dt(x), "=", 0, because="no law for x")
with D.case(x > 0):
    D.step(sp.sqrt(x**2) * y, "=", x * y)
    with D.case(y > 0):
        D.step(sp.Abs(x * y), "=", x * y)
D.step(sp.sqrt(x**2), "=", x, given=[x >= 0])
D.step(sp.sin(p) / p, "->", 1, approach=(p, 0))
D.step(sp.exp(p), "=", 1 + p, order=(p, 2))
D.step(W1 * W2 * W1, "=", 0)
D.step(x, "=", (y
D.steps({W1: W1 - lr * W2.T * G}, because="descent")
D.ships(formulas.chain, (W2.T * Y, Y * W1.T), G=Y)
'''


def write_proof(folder):
    """Write the file and the lemma beside it; return its path."""
    (folder / "lemma.py").write_text(LEMMA, encoding="utf-8")
    path = folder / "proof.py"
    path.write_text(EVERY_KIND, encoding="utf-8")
    return path
