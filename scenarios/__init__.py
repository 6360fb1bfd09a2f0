"""What is played: worlds, recipes and principles, as data."""
