"""Scalar equations with closed solutions, one file each."""

from toymodels.solutions import hyperbola, layer_rates, logistic, scalar_mode, wide_scalar

__all__ = ["hyperbola", "layer_rates", "logistic", "scalar_mode", "wide_scalar"]
