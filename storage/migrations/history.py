"""The page's history. Released: never edit."""

_TITLE = "substr(json_quote(OLD.title), 2, length(json_quote(OLD.title)) - 2)"

HISTORY = (
    # body: JSON. audience: '' for all.
    """
    CREATE TABLE page_messages (
        id INTEGER PRIMARY KEY,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        channel TEXT NOT NULL,
        author TEXT NOT NULL,
        at_ms INTEGER NOT NULL,
        audience TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE page_videos (
        message INTEGER NOT NULL REFERENCES page_messages ON DELETE CASCADE,
        video_id TEXT NOT NULL,
        PRIMARY KEY (message, video_id)
    ) STRICT
    """,
    "CREATE INDEX page_videos_by_video ON page_videos (video_id)",
    """
    CREATE TABLE page_pictures (
        message INTEGER NOT NULL REFERENCES page_messages ON DELETE CASCADE,
        key TEXT NOT NULL,
        theme TEXT NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (message, key, theme)
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
