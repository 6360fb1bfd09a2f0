"""Words: what is read out of plain text and said in it. English, by rule, without a model."""
