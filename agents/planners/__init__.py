"""Planners turn a scenario into a plan."""
