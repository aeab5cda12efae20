"""The rungs of evidence, verdicts and counterexamples; this room knows no family."""

from toymodels.evidence.algebra import NotApplicable
from toymodels.evidence.conditions import Condition, separating_condition
from toymodels.evidence.enclosure import Zero, by_enclosure
from toymodels.evidence.limits import limit_by_digits
from toymodels.evidence.statement import Case, Statement
from toymodels.evidence.sturm import by_sturm, polynomial_inequality
from toymodels.evidence.symbolic import InternalDisagreement, by_symbols, limit_by_symbols
from toymodels.evidence.timelimit import TimedOut, can_limit, time_limit
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict

__all__ = [
    "Case", "Condition", "Counterexample", "Evidence", "InternalDisagreement", "NotApplicable", "Outcome",
    "Statement", "TimedOut", "Verdict", "Zero", "by_enclosure", "by_sturm", "by_symbols", "can_limit",
    "limit_by_digits", "limit_by_symbols", "polynomial_inequality", "separating_condition", "time_limit",
]  # fmt: skip
