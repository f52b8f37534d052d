"""Tables of open requests and of checkpoints. Released: never edit."""

JOBS = (
    # kind: what is to be done with `source`: a link, a path, the key of a platform's file, or the words of a search.
    # message: the one that the film counts as posted by. place: the door's own note (JSON) of where the answer stands.
    # title, url and uploader: what the film is called where it was asked for.
    # owner and leased_until_s: who works on it, and until when that counts without being renewed. Times: Unix seconds.
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        about TEXT NOT NULL,
        item TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('link', 'file', 'remote', 'find')),
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
        UNIQUE (platform, space, channel, about, item)
    ) STRICT
    """,
    "CREATE INDEX jobs_open ON jobs (platform, space, channel) WHERE state IN ('queued', 'running')",
    "CREATE INDEX jobs_by_video ON jobs (video_id)",
    # A film whose file lies in the store and that is being looked at; it becomes a row of `videos` once that is done.
    """
    CREATE TABLE works (
        video_id TEXT PRIMARY KEY,
        link TEXT NOT NULL,
        url TEXT NOT NULL,
        title TEXT NOT NULL,
        uploader TEXT NOT NULL,
        several INTEGER NOT NULL,
        recipe_key TEXT NOT NULL,
        duration_s REAL NOT NULL DEFAULT 0,
        width_px INTEGER NOT NULL DEFAULT 0,
        height_px INTEGER NOT NULL DEFAULT 0,
        expected_looks INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX works_by_link ON works (link)",
    # BLOBs as in `chunks`. first_s and last_s: the times of the first and the last look.
    """
    CREATE TABLE work_chunks (
        video_id TEXT NOT NULL REFERENCES works ON DELETE CASCADE,
        first_s REAL NOT NULL,
        last_s REAL NOT NULL,
        times_s BLOB NOT NULL,
        vectors BLOB NOT NULL,
        UNIQUE (video_id, first_s)
    ) STRICT
    """,
    """
    CREATE TABLE work_thumbnails (
        video_id TEXT NOT NULL REFERENCES works ON DELETE CASCADE,
        time_s REAL NOT NULL,
        jpeg BLOB NOT NULL,
        UNIQUE (video_id, time_s)
    ) STRICT
    """,
)
