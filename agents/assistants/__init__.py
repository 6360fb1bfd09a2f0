"""Assistants: parties that hold the tools and never see a script."""
