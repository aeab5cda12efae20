"""Observables of any problem, for `record=`; a family's own are methods of its problems."""

from toymodels.observables.parameters import distance_from, kernel_distance_from, norm

__all__ = ["distance_from", "kernel_distance_from", "norm"]
