"""Benchmarks, run by hand with ``just bench``; they print ratios and assert nothing."""
