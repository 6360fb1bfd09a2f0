"""Agents on evaluation sets: trials, scores with their noise, who is to blame for a failure, and reports."""
