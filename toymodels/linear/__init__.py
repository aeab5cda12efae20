"""Linear networks of two and more layers: formulas, derivatives, landscape and exact dynamics."""

from toymodels.linear.aligned import aligned_factors, aligned_spectrum
from toymodels.linear.deep import DeepLinear
from toymodels.linear.factors import balanced_factors, gauge
from toymodels.linear.landscape import (
    CriticalPoint,
    critical_points,
    critical_spectrum,
    interpolating_spectrum,
    morse_index,
)
from toymodels.linear.problem import TwoLayerLinear
from toymodels.linear.statistics import Statistics
from toymodels.linear.whitening import TargetModes

__all__ = [
    "CriticalPoint",
    "DeepLinear",
    "Statistics",
    "TargetModes",
    "TwoLayerLinear",
    "aligned_factors",
    "aligned_spectrum",
    "balanced_factors",
    "critical_points",
    "critical_spectrum",
    "gauge",
    "interpolating_spectrum",
    "morse_index",
]
