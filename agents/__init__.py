"""The parts that speak and criticise: one part per file, each looked up by its name."""
