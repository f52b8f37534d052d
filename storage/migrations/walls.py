"""Names by posting, and places that Keaton was removed from. Released: never edit."""

NAMES_HERE = (
    # What a film is called where it was posted, and by the link that leads to it. Postings from before know no other
    # name than the film's own.
    *(
        f"ALTER TABLE {table} ADD COLUMN {column} TEXT NOT NULL DEFAULT ''"
        for table in ("postings", "links")
        for column in ("title", "url", "uploader")
    ),
    *(
        f"UPDATE {table} SET (title, url, uploader) = "  # noqa: S608 - both names are our own
        f"(SELECT title, url, uploader FROM videos WHERE id = {table}.video_id)"
        for table in ("postings", "links")
    ),
)

DEPARTURES = (
    # channel: '' for the whole space. waited_s: how long it is ago, counting only time that the program ran.
    """
    CREATE TABLE departures (
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        waited_s REAL NOT NULL,
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
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        message TEXT NOT NULL,
        video_id TEXT NOT NULL,
        files TEXT NOT NULL,
        PRIMARY KEY (platform, space, channel, message, video_id)
    ) STRICT
    """,
    "CREATE INDEX showings_by_video ON showings (video_id)",
    # Those that show a film which was forgotten there, until they were changed.
    """
    CREATE TABLE stale_showings (
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        message TEXT NOT NULL,
        files TEXT NOT NULL,
        PRIMARY KEY (platform, space, channel, message)
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
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (platform, space, channel, message)
    ) STRICT
    """,
)

BY_FILM = (
    # Whether a film is posted somewhere is asked for each moment of an answer, and for each message that shows it.
    "CREATE INDEX postings_by_film ON postings (video_id, platform, space, channel)",
    "CREATE INDEX jobs_by_message ON jobs (message)",
)
