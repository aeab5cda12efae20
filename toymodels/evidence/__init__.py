"""The rungs of evidence, verdicts and counterexamples; this room knows no family."""

from toymodels.evidence.statement import Case, Statement
from toymodels.evidence.verdict import Counterexample, Evidence, Outcome, Verdict

__all__ = ["Case", "Counterexample", "Evidence", "Outcome", "Statement", "Verdict"]
