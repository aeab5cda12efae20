"""Theorems as claims: one file per paper, own results one file per topic."""
