"""Do scores track people? Static and dynamic evaluations of the same agents against human ones, raters against people."""
