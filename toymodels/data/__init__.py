"""Toy data sets and target generators, documented and seeded."""

from toymodels.data.dataset import Data
from toymodels.data.hierarchy import hierarchical, hierarchy_multiplicities, hierarchy_singular_values
from toymodels.data.matrices import matrix_of_spectrum, orthonormal_columns
from toymodels.data.regression import correlated, rank_deficient, teacher_student, whitened

__all__ = ["Data", "correlated", "hierarchical", "hierarchy_multiplicities", "hierarchy_singular_values",
           "matrix_of_spectrum", "orthonormal_columns", "rank_deficient", "teacher_student",
           "whitened"]  # fmt: skip
