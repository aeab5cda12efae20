"""A commented theorem file to start from."""

from __future__ import annotations

import os
from pathlib import Path

from toymodels.files import write_starter

TEMPLATE = '''"""{title}: my own theorem, verified with `toymodels verify {file}`."""

from toymodels.arithmetic import frobenius, mT
from toymodels.arithmetic.jets import derivative
from toymodels.claims import Paper, bound, identity
from toymodels.linear import formulas
from toymodels.spaces import matrix, real

# The default source of every claim in this file.
PAPER = Paper("Your Name {year}")


# One function is one claim. Each positional argument is a variable and gets a
# space; the names inside the strings are sizes, shared by all variables.
# A keyword argument is a knob at its true value; a broken variant turns it (or
# replaces a space), and must be refuted: a check that cannot fail shows nothing.
@identity(
    "{name} 1",
    W1=matrix("m d"),
    W2=matrix("c m"),
    V1=matrix("m d"),
    V2=matrix("c m"),
    X=matrix("n d"),
    Y=matrix("n c"),
    broken={{"residual with the wrong sign": dict(sign=1)}},
)
def gradient_of_the_loss(W1, W2, V1, V2, X, Y, *, sign=-1):
    r"""The gradient of the mean square loss is $(W_2^\\top G, G W_1^\\top)$, $G = W S_{{xx}} - S_{{yx}}$."""
    # The left side differentiates the shipped loss exactly, along (V1, V2).
    slope = derivative(lambda A, B: formulas.loss(A, B, X, Y), (W1, W2), (V1, V2))
    G = (W2 @ W1 @ mT(X) @ X + sign * mT(Y) @ X) / X.shape[-2]
    # Polynomial matrix identities like this one are proved for every size.
    return slope, frobenius(mT(W2) @ G, V1) + frobenius(G @ mT(W1), V2)


# A bound returns left and right; an adversarial search tries to break it.
@bound("{name} 2", a=real, b=real, broken={{"a factor too good": dict(factor=3)}})
def product_bound(a, b, *, factor=2):
    r"""$2ab \\le a^2 + b^2$."""
    return factor * a * b, a * a + b * b
'''


def write_template(name: str, folder: str | os.PathLike = ".") -> Path:
    """Write NAME.py with a commented theorem that runs; return its path.

    Raises
    ------
    InputError
        When the name is no identifier, the file exists, or the folder cannot
        be written.
    """
    from datetime import date

    return write_starter(name, folder, TEMPLATE, year=date.today().year)
