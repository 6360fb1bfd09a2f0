"""Runs: many conversations at once, one folder each, and what they came to."""
