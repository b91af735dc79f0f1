"""The full-text index: derived from the store, and thrown away wherever it can't be trusted.

Only what runs in the indexer's process imports `index` and `queries`: they bring tantivy.
"""
