"""User simulators: parties that hold a script."""
