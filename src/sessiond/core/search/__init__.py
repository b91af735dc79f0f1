"""Full-text search as pure functions: what of a turn is searched, how text becomes tokens, the language of queries, what matches.

`analysis` makes tokens, `language` reads queries, `matching` says what a query finds in tokens and where, `ranking` how good a find
is, `excerpts` what to show of it, `document` what a trace is to all of them. An index (`sessiond.search`) is given the tokens made
here, and asked what `matching` would find.
"""
