"""From a query to moments and a verdict: pure functions, and one `Searcher` that reads the index.

It must not know SQL, torch or a platform. Public: `Searcher`, `Inquiry` (from typed words to a query), `moments` and
`verdict`.
"""
