"""Whoever sits on the assistant's seat: how agents are named, asked and read, and what goes wrong there."""
