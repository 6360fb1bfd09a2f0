"""Exports read back as their consumers read them, and everything that is wrong with them, a line each."""
