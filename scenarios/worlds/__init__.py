"""Worlds: tools with state, a policy, seed data and the scenario files played in them."""
