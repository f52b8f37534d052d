"""The nouns that everything else uses: videos, queries, results, answers, votes, requests, events, replies.

They hold data and its invariants, and must not know ports, engines or platforms. All of its modules are public.
"""
