"""From a query to moments and a verdict: pure, but for one `Searcher`."""
