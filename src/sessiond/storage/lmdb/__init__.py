"""The durable engine, over LMDB. `store.LmdbStore` keeps the contract; the other modules are its parts.

The first time a trace is seen it gets the next number, never reused, and its spans, facts and summary are keyed by that number:
writes land at the right edge of each tree instead of at random pages (about 1 M rows/s against 50 to 110 k for random 16-byte keys,
measured). The only randomly keyed trees are small: trace id, session and user -> number.
"""
