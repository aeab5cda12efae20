"""Statements to verify: decorators by kind, and `verify`."""

from toymodels.claims.claim import Claim, Paper, Result
from toymodels.claims.pointwise import bound, conserved, identity, monotone
from toymodels.claims.sampled import counterexample, equivalence, limit, mean, probability, rate
from toymodels.claims.verify import Report, verify

__all__ = ["Claim", "Paper", "Report", "Result", "bound", "conserved", "counterexample",
           "equivalence", "identity", "limit", "mean", "monotone", "probability", "rate",
           "verify"]  # fmt: skip
