"""What an answer shows, and what its buttons do to it.

It must not know a platform, nor who may see an answer: the conversation has checked that. Public: `Answerer` (frame and
plot), `Browser` and `Presser` (buttons), `card`.
"""
