"""The table of requests whose numbers are never given twice, and what each may not bring. Released: never edit."""

_COLUMNS = """
    id, platform, space, channel, about, item, kind, source, name, user_id, user_name, message, message_url, place,
    length_s, state, reason, failures, starts, not_before_s, owner, leased_until_s, video_id, title, url, uploader,
    looks, made_s, ended_s, picture, done_once, under
"""

RECALL = (
    # As before (see `schema_requests`). A number that came back could let the work of a request that was deleted go on
    # in the name of a newer one. ended_s: NULL until whoever asked was told. called_back: digests of films that were
    # forgotten before it was known which film the request is about.
    """
    CREATE TABLE jobs_now (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        about TEXT NOT NULL,
        item TEXT NOT NULL,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        name TEXT NOT NULL,
        user_id TEXT NOT NULL,
        user_name TEXT NOT NULL,
        message TEXT NOT NULL,
        message_url TEXT NOT NULL,
        place TEXT NOT NULL,
        length_s REAL,
        state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
        reason TEXT NOT NULL DEFAULT '',
        failures INTEGER NOT NULL DEFAULT 0,
        starts INTEGER NOT NULL DEFAULT 0,
        not_before_s REAL NOT NULL DEFAULT 0,
        owner TEXT NOT NULL,
        leased_until_s REAL NOT NULL,
        video_id TEXT NOT NULL DEFAULT '',
        title TEXT NOT NULL DEFAULT '',
        url TEXT NOT NULL DEFAULT '',
        uploader TEXT NOT NULL DEFAULT '',
        looks INTEGER NOT NULL DEFAULT 0,
        made_s REAL NOT NULL,
        ended_s REAL,
        picture TEXT NOT NULL DEFAULT '',
        done_once INTEGER NOT NULL DEFAULT 0,
        under TEXT NOT NULL DEFAULT '',
        called_back TEXT NOT NULL DEFAULT '',
        UNIQUE (platform, space, channel, about, item)
    ) STRICT
    """,
    f"INSERT INTO jobs_now ({_COLUMNS}) SELECT {_COLUMNS} FROM jobs",  # noqa: S608 - our own names
    "DROP TABLE jobs",
    "ALTER TABLE jobs_now RENAME TO jobs",
    "CREATE INDEX jobs_open ON jobs (platform, space, channel) WHERE state IN ('queued', 'running')",
    "CREATE INDEX jobs_by_video ON jobs (video_id)",
    "CREATE INDEX jobs_under ON jobs (under) WHERE under <> ''",
)
