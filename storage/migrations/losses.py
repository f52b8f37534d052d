"""Tables that tell whether all that was acknowledged is still there. Released: never edit."""

LOSSES = (
    # One row. number: how many transactions counted. What was acknowledged last stands beside the database, too (see
    # `continuity`). library: names this database, and all copies of it.
    "CREATE TABLE commits (library TEXT NOT NULL, number INTEGER NOT NULL) STRICT",
    "INSERT INTO commits VALUES (lower(hex(randomblob(8))), 0)",
    # What was found missing when the database was opened. what: 'new', 'another' or 'changes'; changes: how many are
    # lost. is_settled: media files that nothing leads to since then were set aside.
    """
    CREATE TABLE losses (
        number INTEGER PRIMARY KEY,
        found_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
        what TEXT NOT NULL CHECK (what IN ('new', 'another', 'changes')),
        changes INTEGER NOT NULL DEFAULT 0,
        is_settled INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # Questions were kept for a month after they had been answered, by whatever name they gave of a film.
    "UPDATE jobs SET source = '', name = '' WHERE kind = 'find' AND ended_s IS NOT NULL",
)
