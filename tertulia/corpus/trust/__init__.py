"""How far critics and judges can be trusted, against planted slips and people's labels.

labels         what people say of conversations and drafts
marks          what critics mark on drafts, against what is broken there
rates          both error rates, with intervals
calibration    critics and judges measured, and the rules that follow from it
faulty         the share of faulty conversations before and after a selection
drift          what changed between two versions of a judge
"""
