"""What moves parameters: closed forms, gradient flow and descent, for any problem."""

from toymodels.dynamics import schedules
from toymodels.dynamics.closed_form import Exact, exact
from toymodels.dynamics.comparison import Comparison, compare
from toymodels.dynamics.descent import descend
from toymodels.dynamics.gradient_flow import flow
from toymodels.dynamics.limit_map import LimitPoint, limit_map, second_derivative
from toymodels.dynamics.minima import Minimum
from toymodels.dynamics.noise import GradientNoise
from toymodels.dynamics.slow_drift import isotropic_drift, label_noise_drift, noise_drift
from toymodels.dynamics.slow_flow import slow_flow

__all__ = [
    "Comparison",
    "Exact",
    "GradientNoise",
    "LimitPoint",
    "Minimum",
    "compare",
    "descend",
    "exact",
    "flow",
    "isotropic_drift",
    "label_noise_drift",
    "limit_map",
    "noise_drift",
    "schedules",
    "second_derivative",
    "slow_flow",
]
