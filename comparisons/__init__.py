"""Manifests and published numbers in, comparisons out. Reads no framework, runs nothing."""
