"""The tables of false and of true steps, and the settings that several of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from toymodels.derive import Derivation, norm

Writer = Callable[[Derivation], None]


@dataclass(frozen=True)
class FalseStep:
    """A mistake that people make, and what the check must say of it.

    Attributes
    ----------
    mistake : str
    write : callable
        Writes a derivation whose last step is the mistake.
    mark : str
        Of that step.
    small : bool
        Whether a false step shows numbers, numerators and denominators up to 9, at sizes up to 3.
    condition : str
        The hypothesis that is named, under which the step would hold.
    note : str
        Part of another note on the step.
    """

    mistake: str
    write: Writer
    mark: str = "FALSE"
    small: bool = True
    condition: str = ""
    note: str = ""


@dataclass(frozen=True)
class TrueStep:
    """A derivation whose steps are all true.

    Attributes
    ----------
    name : str
    write : callable
    evidence : str
        The weakest that any of its steps may rest on.
    undecided : str
        Why its steps may stay undecided; empty where they may not.
    """

    name: str
    write: Writer
    evidence: str = "proved"
    undecided: str = ""


FALSE_STEPS: list[FalseStep] = []
TRUE_STEPS: list[TrueStep] = []


def false_step(mistake: str, **expected) -> Callable[[Writer], Writer]:
    """Add a function that writes a mistake to the table."""

    def register(write: Writer) -> Writer:
        FALSE_STEPS.append(FalseStep(mistake, write, **expected))
        return write

    return register


def true_step(name: str, evidence: str = "proved", **expected) -> Callable[[Writer], Writer]:
    """Add a function that writes true steps to the table."""

    def register(write: Writer) -> Writer:
        TRUE_STEPS.append(TrueStep(name, write, evidence, **expected))
        return write

    return register


def two_layers(D):
    """Two linear layers under the gradient flow of a loss whose gradient by their product is G."""
    m, d, c = D.sizes("m d c", most=3)
    W1, W2 = D.matrix("W1", m, d), D.matrix("W2", c, m)
    G = D.matrix("G", c, d, constant=True)
    D.flow({W1: -W2.T * G, W2: -G * W1.T})
    return W1, W2, G


def regression(D):
    """Data, a linear model and its mean square loss."""
    n, d, c = D.sizes("n d c", most=3)
    X, Y, W = D.matrix("X", n, d), D.matrix("Y", n, c), D.matrix("W", c, d)
    return n, X, Y, W, norm(X * W.T - Y) ** 2 / (2 * n)
