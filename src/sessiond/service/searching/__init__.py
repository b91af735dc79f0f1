"""Searching. One half runs in the daemon, the other in the indexer's process, which alone holds the index.

In the daemon: `searches` answers a search, `indexer` runs the process and speaks with it, `lag` knows how far it is behind. In the
process: `turn_pieces` reads what is searched of a trace, `indexing` follows the store's changes, `answering` answers the daemon.
`protocol` is what both speak.
"""
