"""What is kept on the disk: SQLite behind the library, job and retention ports, and media files in a folder.

It must not know a platform, an engine, or how anything is computed. Public: the `Sqlite…` classes, `MediaFolder`,
`FolderBlobCache` and `repair`; `bot.wiring.storage` opens them.
"""
