"""Deterministic stand-ins: a study without frameworks, run by real processes."""
