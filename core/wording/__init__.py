"""Every sentence that Keaton says to people.

It decides nothing and must not know a platform's markup. Public: `replies`, `answers`, `lists` and `errors`.
"""
