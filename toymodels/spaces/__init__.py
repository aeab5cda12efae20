"""What a variable ranges over.

A space gives search cases, uniform exact draws, degrees, words, symbols and
digits from one recipe, and refuses what it cannot give.
"""

from toymodels.spaces.matrices import (
    Interpolating,
    Invertible,
    frame,
    interpolating,
    invertible,
    matrix,
    orthogonal,
    positive_definite,
    rectangular_diagonal,
    reflections,
    symmetric,
    unit_vector,
    vector,
)
from toymodels.spaces.scalars import between, choice, constant, integer, log_uniform, positive, real
from toymodels.spaces.source import POSITIVE, REAL, Domain, Refused, Rejected, Source
from toymodels.spaces.space import Space

__all__ = [
    "POSITIVE", "REAL", "Domain", "Interpolating", "Invertible", "Refused", "Rejected", "Source", "Space",
    "between", "choice", "constant", "frame", "integer", "interpolating", "invertible", "log_uniform",
    "matrix", "orthogonal", "positive", "positive_definite", "real", "rectangular_diagonal", "reflections",
    "symmetric", "unit_vector", "vector",
]  # fmt: skip
