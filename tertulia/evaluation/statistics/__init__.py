"""What a table of outcomes says, and how surely: rates, intervals, comparisons, and where the noise comes from.

A table (`Table`) holds one row per item, and in it one value per trial: a boolean, or a score from 0 to 1. None marks
a trial that is missing or set aside; rows may differ in length, and a row without any value counts nowhere. Items are
taken as drawn from a population and trials as nested in them: several trials of one item are never treated as
independent evidence.

    passing      pass@1, pass^k, pass@k, flip rates: plain Python
    intervals    a confidence interval of pass@1, pass^k or a mean score
    paired       two agents on the same items, and the smallest difference a set can show
    variance     how much of the spread is the items', the simulator's, the agent's

All but `passing` need numpy and scipy: `pip install 'tertulia[evaluate]'`.
"""
