"""Do scores track people? Static and dynamic evaluations against human ones, and raters against people."""
