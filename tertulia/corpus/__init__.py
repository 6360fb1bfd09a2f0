"""A run's conversations as one corpus: which are kept by which criteria, and why the others are not.

criteria       the file that people write: rules, duplicates, evaluation sets, balance, split
expressions    what a rule says: a small vocabulary over the fields of a conversation and its verdicts
fields         what can be read of a conversation by name
rules          those of a file on one conversation, also as gates of a run
words          the words of a conversation that are compared with others
alike          what says what another text says already
tags           instruction tags, made few enough to balance by
steps          the criteria that look at one conversation after another
balance        how many of each sort are kept;  splits: which sources go where
ledger         a row for each conversation, on disk
selecting      all of it in one pass;  selection: what comes out, a file in the run's folder
distributions  how a corpus is made up, as numbers behind plots
trust          how far critics and judges can be trusted, and what a selection does to the share of faulty conversations
"""
