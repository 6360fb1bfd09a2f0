"""Chat models: what is asked, what comes back, what it cost, and how nothing paid for is lost.

records    Request, Reply, Usage, Trouble: the values that travel
spec       which model plays which role, as a person types it
client     OpenAIChat, for OpenAI-compatible endpoints (endpoint: the wire; completions: the shape of what travels)
langchain  every other provider
prices     what tokens cost (tokens: counting them without a model)
caller     the one door: journal, then budget, then limits, then the model; parts hold an `Ask`
"""
