"""A run's conversations as one corpus: which are kept by which criteria, and why the others are not.

criteria       the file that people write: rules, duplicates, evaluation sets, balance, split
expressions    what a rule says: a small vocabulary over the fields of a conversation and its verdicts
rules          those of a file on one conversation, also as gates of a run
fields         what can be read of a conversation by name
steps          criteria that look at one conversation after another
near, novelty, meaning   the same again: MinHash, ROUGE-L, embeddings;  embedding: a model here, or an endpoint
tags           instruction tags, made few enough to balance by
contamination  what stands in an evaluation set already
balance        how many of each sort are kept;  splits: which sources go where
ledger         a row for each conversation, on disk
selecting      all of it in one pass;  selection: what comes out, a file in the run's folder
faulty         the share of faulty conversations before and after;  rates: error rates with intervals
quotas         so many accepted of each sort, while a run is played
calibration    how far critics and judges can be trusted: against planted slips and people's labels
marks, labels  what critics mark on drafts, and what people say of them;  drift: two versions of a judge
"""
