"""Steps for what is to be done once: requests, what was sampled for them, and what is known of channels.

Released: never edit what they do.
"""

CHATS = (
    "ALTER TABLE postings ADD COLUMN message_url TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX postings_by_message ON postings (platform, space, channel, message)",
    # state: 'begun', 'settled', or 'deleted' once the message is. run: the process that began it.
    """
    CREATE TABLE errands (
        id INTEGER PRIMARY KEY, platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL,
        message TEXT NOT NULL, item TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('begun', 'settled', 'deleted')), run TEXT NOT NULL,
        UNIQUE (platform, space, channel, message, item)
    ) STRICT
    """,
    "CREATE INDEX errands_begun ON errands (platform) WHERE state = 'begun'",
    """
    CREATE TABLE channels (
        platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL, is_on INTEGER NOT NULL,
        PRIMARY KEY (platform, space, channel)
    ) STRICT
    """,
    "CREATE TABLE notes (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
)

_PLACE = "platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL"
_KIND = "CHECK (kind IN ('link', 'file', 'remote', 'find'))"
_ASKED = """
    source TEXT NOT NULL, name TEXT NOT NULL, user_id TEXT NOT NULL, user_name TEXT NOT NULL, message TEXT NOT NULL,
    message_url TEXT NOT NULL, place TEXT NOT NULL, length_s REAL
"""
_STANDS = """
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    reason TEXT NOT NULL DEFAULT '', failures INTEGER NOT NULL DEFAULT 0, starts INTEGER NOT NULL DEFAULT 0,
    not_before_s REAL NOT NULL DEFAULT 0, owner TEXT NOT NULL, leased_until_s REAL NOT NULL,
    video_id TEXT NOT NULL DEFAULT '', title TEXT NOT NULL DEFAULT '', url TEXT NOT NULL DEFAULT '',
    uploader TEXT NOT NULL DEFAULT '', looks INTEGER NOT NULL DEFAULT 0, made_s REAL NOT NULL, ended_s REAL
"""
_ONCE = "UNIQUE (platform, space, channel, about, item)"

_INDEXES = (
    "CREATE INDEX jobs_open ON jobs (platform, space, channel) WHERE state IN ('queued', 'running')",
    "CREATE INDEX jobs_by_video ON jobs (video_id)",
)


def _moved(columns: str) -> tuple[str, ...]:
    """Put `jobs_now` in the place of `jobs`."""
    return (
        f"INSERT INTO jobs_now ({columns}) SELECT {columns} FROM jobs",  # noqa: S608 - our own names
        "DROP TABLE jobs",
        "ALTER TABLE jobs_now RENAME TO jobs",
    )


JOBS = (
    # kind: what is to be done with `source`: a link, a path, the key of a platform's file, or the words of a search.
    # message: the one that the film counts as posted by. place: the door's own note (JSON) of where the answer stands.
    # title, url and uploader: what the film is called where it was asked for.
    # owner and leased_until_s: who works on it, and until when that counts without being renewed. Times: Unix seconds.
    f"""
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, {_PLACE}, about TEXT NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL {_KIND},
        {_ASKED}, {_STANDS}, {_ONCE}
    ) STRICT
    """,
    *_INDEXES,
    # A film whose file lies in the store and that is being looked at; it becomes a row of `videos` once that is done.
    """
    CREATE TABLE works (
        video_id TEXT PRIMARY KEY, link TEXT NOT NULL, url TEXT NOT NULL, title TEXT NOT NULL, uploader TEXT NOT NULL,
        several INTEGER NOT NULL, recipe_key TEXT NOT NULL, duration_s REAL NOT NULL DEFAULT 0,
        width_px INTEGER NOT NULL DEFAULT 0, height_px INTEGER NOT NULL DEFAULT 0,
        expected_looks INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX works_by_link ON works (link)",
    # BLOBs as in `chunks`. first_s and last_s: the times of the first and the last look.
    """
    CREATE TABLE work_chunks (
        video_id TEXT NOT NULL REFERENCES works ON DELETE CASCADE, first_s REAL NOT NULL, last_s REAL NOT NULL,
        times_s BLOB NOT NULL, vectors BLOB NOT NULL, UNIQUE (video_id, first_s)
    ) STRICT
    """,
    """
    CREATE TABLE work_thumbnails (
        video_id TEXT NOT NULL REFERENCES works ON DELETE CASCADE, time_s REAL NOT NULL, jpeg BLOB NOT NULL,
        UNIQUE (video_id, time_s)
    ) STRICT
    """,
)

_COLUMNS = """
    id, platform, space, channel, about, item, kind, source, name, user_id, user_name, message, message_url, place,
    length_s, state, reason, failures, starts, not_before_s, owner, leased_until_s, video_id, title, url, uploader,
    looks, made_s, ended_s
"""

ALL_REQUESTS = (
    # As before, but of any kind: SQLite cannot change a CHECK. picture: the path of a picture that is asked about, on
    # this disk. done_once: what a press changes has been changed.
    f"""
    CREATE TABLE jobs_now (
        id INTEGER PRIMARY KEY, {_PLACE}, about TEXT NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL, {_ASKED},
        {_STANDS}, picture TEXT NOT NULL DEFAULT '', done_once INTEGER NOT NULL DEFAULT 0, {_ONCE}
    ) STRICT
    """,
    *_moved(_COLUMNS),
    *_INDEXES,
)

UNDER = (
    # under: the message whose button was pressed, where that draws it. Presses of earlier versions name none.
    "ALTER TABLE jobs ADD COLUMN under TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX jobs_under ON jobs (under) WHERE under <> ''",
)

# name: of a switch, the channel that it switches. Earlier versions named none, and did not note what was switched.
SWITCHES = ("UPDATE jobs SET name = channel, done_once = (state = 'done') WHERE kind = 'switch'",)

RECALL = (
    # As before. A number that came back could let the work of a request that was deleted go on
    # in the name of a newer one. ended_s: NULL until whoever asked was told. called_back: digests of films that were
    # forgotten before it was known which film the request is about.
    f"""
    CREATE TABLE jobs_now (
        id INTEGER PRIMARY KEY AUTOINCREMENT, {_PLACE}, about TEXT NOT NULL, item TEXT NOT NULL, kind TEXT NOT NULL,
        {_ASKED}, {_STANDS}, picture TEXT NOT NULL DEFAULT '', done_once INTEGER NOT NULL DEFAULT 0,
        under TEXT NOT NULL DEFAULT '', called_back TEXT NOT NULL DEFAULT '', {_ONCE}
    ) STRICT
    """,
    *_moved(f"{_COLUMNS}, picture, done_once, under"),
    *_INDEXES,
    "CREATE INDEX jobs_under ON jobs (under) WHERE under <> ''",
)

# moderator: whoever asked could cancel there what others asked for, at that time.
MODERATORS = ("ALTER TABLE jobs ADD COLUMN moderator INTEGER NOT NULL DEFAULT 0",)

_NOW_S = "CAST(strftime('%s') AS REAL)"

ONE_TABLE = (
    # kind: that of a request; 'key' where nothing but the key is known, or any more; 'deleted' for a deleted message.
    # ended_s: NULL until it is settled, of all kinds. What had a request already has a row.
    f"""
    INSERT INTO jobs (platform, space, channel, about, item, kind, source, name, user_id, user_name, message,
        message_url, place, state, owner, leased_until_s, made_s, ended_s)
    SELECT platform, space, channel, message, item, iif(state = 'deleted', 'deleted', 'key'), '', '', '', '', '',
        '', '', 'done', 'key:' || run, 0, {_NOW_S}, iif(state = 'begun', NULL, {_NOW_S})
    FROM errands WHERE true ORDER BY id
    ON CONFLICT DO NOTHING
    """,  # noqa: S608 - our own words
    "DROP TABLE errands",
    "CREATE INDEX jobs_unsettled ON jobs (platform, space, channel) WHERE ended_s IS NULL",
)
