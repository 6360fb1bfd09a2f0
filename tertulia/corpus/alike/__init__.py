"""Conversations that say what another text says already: one that is kept, or an item of an evaluation set.

near           runs of words: MinHash, then the exact similarity
novelty        ROUGE-L against all that is kept
meaning        the cosine of embeddings;  embedding: by a model here, or by an endpoint
contamination  what stands in an evaluation set
"""
