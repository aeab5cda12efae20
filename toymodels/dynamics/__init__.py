"""What moves parameters: closed forms, gradient flow and descent, for any problem."""

from toymodels.dynamics import schedules
from toymodels.dynamics.closed_form import Exact, exact
from toymodels.dynamics.comparison import Comparison, compare
from toymodels.dynamics.descent import descend
from toymodels.dynamics.gradient_flow import flow
from toymodels.dynamics.noise import GradientNoise

__all__ = ["Comparison", "Exact", "GradientNoise", "compare", "descend", "exact", "flow", "schedules"]
