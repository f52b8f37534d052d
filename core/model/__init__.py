"""The nouns that everything else speaks of: videos, queries, results, answers, requests, events and replies."""
