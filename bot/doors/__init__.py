"""What the chat doors share.

Accepting requests, delivering replies, where a reply stands, who may redraw it, catching up after a restart. It must
not know any platform: each door brings its own targets, errors and rendering. Public: `Desk` and `Answers`, `CatchUp`
and `Presence`, `RequestLog` and `DrawOrder`, `deliver`, the targets, `Pace` and `Backoff`.
"""
