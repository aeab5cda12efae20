"""A commented derivation to start from."""

from __future__ import annotations

import os
from pathlib import Path

from toymodels.files import write_starter

TEMPLATE = '''"""{title}: a derivation of my own; `toymodels check {file}` decides each step."""

from toymodels.derive import Derivation, norm
from toymodels.linear import formulas

D = Derivation("Gradient flow of two layers conserves their imbalance", source="own")

# Letters. A size is a symbol, so a step that is proved holds at every size.
m, d, c, n = D.sizes("m d c n")
W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
X, Y = D.matrix("X", n, d, constant=True), D.matrix("Y", n, c, constant=True)

# A law is declared, not checked: D.dt uses it from here on (D.steps and D.next: one step of a map).
G = (W2 * W1 * X.T - Y.T) * X / n
D.flow({{W1: -W2.T * G, W2: -G * W1.T}}, because="gradient flow of the mean square loss")

# Steps. `because` is prose for the reader; every step is decided on its own.
loss = norm(X * W1.T * W2.T - Y) ** 2 / (2 * n)
D.step(D.gradient(loss, W1), "=", W2.T * G, because="chain rule")
second = D.step(D.dt(W2.T * W2), "=", -W1 * G.T * W2 - W2.T * G * W1.T, because="product rule")
first = D.step(D.dt(W1 * W1.T), "=", -W2.T * G * W1.T - W1 * G.T * W2, because="product rule")

# A conclusion names the lines that it follows from; otherwise it is marked as checked alone.
D.conclude(D.dt(W2.T * W2 - W1 * W1.T), "=", 0, by=[second, first])

# A bound is proved by its slack: the difference of the sides, non-negative by form.
a, b = D.scalars("a b")
D.step(2 * a * b, "<=", a**2 + b**2, slack=(a - b) ** 2)

# The code that ships computes what was derived.
D.ships(formulas.imbalance, W2.T * W2 - W1 * W1.T)
'''


def write_template(name: str, folder: str | os.PathLike = ".") -> Path:
    """Write NAME.py with a commented derivation that checks; return its path.

    Raises
    ------
    InputError
        When the name is no identifier, the file exists, or the folder cannot
        be written.
    """
    return write_starter(name, folder, TEMPLATE)
