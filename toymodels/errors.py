"""The errors that users meet; every message is one line: the argument, and what was expected."""

from __future__ import annotations


class InputError(ValueError):
    """An argument has the wrong shape, type or value."""


class AssumptionError(ValueError):
    """A closed form was asked for where its hypothesis fails.

    Parameters
    ----------
    hypothesis : str
        The hypothesis, in words.
    residual : float, optional
        How far the input is from satisfying it, measured.
    """

    def __init__(self, hypothesis: str, residual: float | None = None):
        self.hypothesis, self.residual = hypothesis, residual
        measured = "" if residual is None else f" (measured residual {residual:.3g})"
        super().__init__(f"{hypothesis}{measured}")

    def __reduce__(self):
        return type(self), (self.hypothesis, self.residual)


class ConvergenceError(RuntimeError):
    """An iteration stopped before it met its tolerance."""


class LeftArithmetic(TypeError):
    """A formula asked an arithmetic for something that it does not have.

    Raised when a rational run meets a float, when words meet an elementwise
    product that no trace closes, when a ball is asked which branch it is on.
    """
