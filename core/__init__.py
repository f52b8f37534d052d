"""What Keaton knows about videos: indexing, searching, answering.

It must not know a chat platform, SQL or an engine. `core.app.assemble` puts it together; doors use `core.conversation`,
`core.model` and `core.ports`.
"""
