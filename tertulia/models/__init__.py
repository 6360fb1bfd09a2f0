"""Chat models: what is asked, what comes back, what it cost, and how nothing paid for is lost.

records    Request, Reply, Usage, Trouble: the values that travel
caller     the one door: journal, then budget, then limits, then the model; parts hold an `Ask`
"""
