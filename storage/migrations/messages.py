"""Steps for departures, messages that show videos, and the page's history. Released: never edit what they do."""

DEPARTURES = (
    # channel: '' for the whole space. waited_s: how long it is ago, counting only time that the program ran.
    """
    CREATE TABLE departures (
        platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL, waited_s REAL NOT NULL,
        PRIMARY KEY (platform, space, channel)
    ) STRICT
    """,
)

_NOT_SHOWN_ANY_MORE = """
    video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space
    AND (
        channel = OLD.channel AND NOT EXISTS (
            SELECT 1 FROM postings WHERE video_id = OLD.video_id AND platform = OLD.platform
            AND space = OLD.space AND channel = OLD.channel
        )
        OR NOT EXISTS (
            SELECT 1 FROM postings WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space
        )
    )
"""

SHOWINGS = (
    # Messages of Keaton's that show films. files: JSON list, the platform's ids of the pictures in them.
    """
    CREATE TABLE showings (
        platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL, message TEXT NOT NULL,
        video_id TEXT NOT NULL, files TEXT NOT NULL, PRIMARY KEY (platform, space, channel, message, video_id)
    ) STRICT
    """,
    "CREATE INDEX showings_by_video ON showings (video_id)",
    # Those that show a film which was forgotten there, until they were changed.
    """
    CREATE TABLE stale_showings (
        platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL, message TEXT NOT NULL,
        files TEXT NOT NULL, PRIMARY KEY (platform, space, channel, message)
    ) STRICT
    """,
    f"""
    CREATE TRIGGER forgotten_films_are_not_shown AFTER DELETE ON postings BEGIN
        INSERT OR IGNORE INTO stale_showings
        SELECT platform, space, channel, message, files FROM showings WHERE {_NOT_SHOWN_ANY_MORE};
        DELETE FROM showings WHERE {_NOT_SHOWN_ANY_MORE};
    END
    """,  # noqa: S608 - all names are our own
)

STALE_CARDS = (
    # Messages of Keaton's that told of requests which went with the messages that asked, until they were removed.
    """
    CREATE TABLE stale_cards (
        platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL, message TEXT NOT NULL,
        PRIMARY KEY (platform, space, channel, message)
    ) STRICT
    """,
)

_TITLE = "substr(json_quote(OLD.title), 2, length(json_quote(OLD.title)) - 2)"

HISTORY = (
    # body: JSON. audience: '' for all.
    """
    CREATE TABLE page_messages (
        id INTEGER PRIMARY KEY, platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL,
        author TEXT NOT NULL, at_ms INTEGER NOT NULL, audience TEXT NOT NULL, body TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE page_videos (
        message INTEGER NOT NULL REFERENCES page_messages ON DELETE CASCADE, video_id TEXT NOT NULL,
        PRIMARY KEY (message, video_id)
    ) STRICT
    """,
    "CREATE INDEX page_videos_by_video ON page_videos (video_id)",
    """
    CREATE TABLE page_pictures (
        message INTEGER NOT NULL REFERENCES page_messages ON DELETE CASCADE, key TEXT NOT NULL, theme TEXT NOT NULL,
        data BLOB NOT NULL, PRIMARY KEY (message, key, theme)
    ) STRICT
    """,
    # A message goes with the videos that it shows, and with those that it names.
    f"""
    CREATE TRIGGER forgotten_videos_leave_the_page AFTER DELETE ON postings
    WHEN NOT EXISTS (
        SELECT 1 FROM postings WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space
        AND channel = OLD.channel
    )
    BEGIN
        DELETE FROM page_messages WHERE platform = OLD.platform AND space = OLD.space AND channel = OLD.channel AND (
            id IN (SELECT message FROM page_videos WHERE video_id = OLD.video_id)
            OR length(OLD.title) > 2 AND instr(body, {_TITLE}) > 0
        );
    END
    """,  # noqa: S608 - our own words
)
