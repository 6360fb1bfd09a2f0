"""Judges look at a finished conversation; one judge per file."""
