"""Derivations: one executable document per result."""
