"""Steps for videos, postings, links, embeddings, answers and votes. Released: never edit what they do."""

FIRST = (
    """
    CREATE TABLE videos (
        id TEXT PRIMARY KEY, url TEXT NOT NULL, title TEXT NOT NULL, duration_s REAL NOT NULL,
        width_px INTEGER NOT NULL, height_px INTEGER NOT NULL, truncated INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE links (
        link TEXT PRIMARY KEY, video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE
    ) STRICT
    """,
    "CREATE INDEX links_by_video ON links (video_id)",
    # posted_at: UTC, ISO 8601 with microseconds, so that text order is the order of time.
    """
    CREATE TABLE postings (
        id INTEGER PRIMARY KEY, video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE, platform TEXT NOT NULL,
        space TEXT NOT NULL, channel TEXT NOT NULL, user_id TEXT NOT NULL, user_name TEXT NOT NULL,
        message TEXT NOT NULL, posted_at TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE UNIQUE INDEX one_posting_per_message ON postings (video_id, platform, space, channel, message)
    WHERE message <> ''
    """,
    """
    CREATE UNIQUE INDEX one_posting_per_user ON postings (video_id, platform, space, channel, user_id)
    WHERE message = ''
    """,
    "CREATE INDEX postings_by_channel ON postings (platform, space, channel)",
    # Only people and later migrations read the description: a key alone would not tell what made these vectors.
    "CREATE TABLE recipes (key TEXT PRIMARY KEY, description TEXT NOT NULL) STRICT",
    """
    CREATE TABLE indexings (
        id INTEGER PRIMARY KEY, video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        recipe_key TEXT NOT NULL REFERENCES recipes, UNIQUE (video_id, recipe_key)
    ) STRICT
    """,
    # times_s: (n,) little-endian float64. vectors: (n, D) little-endian float16, one row per time.
    """
    CREATE TABLE chunks (
        indexing_id INTEGER NOT NULL REFERENCES indexings ON DELETE CASCADE, number INTEGER NOT NULL,
        times_s BLOB NOT NULL, vectors BLOB NOT NULL, UNIQUE (indexing_id, number)
    ) STRICT
    """,
    """
    CREATE TABLE thumbnails (
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE, time_s REAL NOT NULL, jpeg BLOB NOT NULL,
        UNIQUE (video_id, time_s)
    ) STRICT
    """,
    # channels: JSON list. moments: JSON list of objects, best first.
    """
    CREATE TABLE answers (
        id TEXT PRIMARY KEY, text TEXT NOT NULL, video_id TEXT, view_platform TEXT NOT NULL, view_space TEXT NOT NULL,
        view_channels TEXT NOT NULL, platform TEXT NOT NULL, space TEXT NOT NULL, channel TEXT NOT NULL,
        moments TEXT NOT NULL, made_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
    ) STRICT
    """,
)

UPLOADERS = ("ALTER TABLE videos ADD COLUMN uploader TEXT NOT NULL DEFAULT ''",)

_TURN = "UPDATE generation SET number = number + 1;"
_STAMP = "UPDATE indexings SET stamp = (SELECT number FROM generation) WHERE id ="

LOOKS = (
    # One row. The number grows with each change, by whatever process; what is held in memory is as old as its number.
    "CREATE TABLE generation (number INTEGER NOT NULL) STRICT",
    "INSERT INTO generation VALUES (0)",
    # The generation at which these looks were made, or last changed but by adding some: ids come again, stamps do not.
    "ALTER TABLE indexings ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0",
    "UPDATE indexings SET stamp = -id",
    f"CREATE TRIGGER indexing_made AFTER INSERT ON indexings BEGIN {_TURN} {_STAMP} NEW.id; END",
    f"CREATE TRIGGER indexing_gone AFTER DELETE ON indexings BEGIN {_TURN} END",
    f"CREATE TRIGGER chunk_made AFTER INSERT ON chunks BEGIN {_TURN} END",
    f"CREATE TRIGGER chunk_changed AFTER UPDATE ON chunks BEGIN {_TURN} {_STAMP} NEW.indexing_id; END",
    f"CREATE TRIGGER chunk_gone AFTER DELETE ON chunks BEGIN {_TURN} {_STAMP} OLD.indexing_id; END",
    f"CREATE TRIGGER posting_made AFTER INSERT ON postings BEGIN {_TURN} END",
    f"CREATE TRIGGER posting_changed AFTER UPDATE ON postings BEGIN {_TURN} END",
    f"CREATE TRIGGER posting_gone AFTER DELETE ON postings BEGIN {_TURN} END",
    f"CREATE TRIGGER video_changed AFTER UPDATE ON videos BEGIN {_TURN} END",
)

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

QUESTIONS = (
    "ALTER TABLE answers ADD COLUMN asked_by TEXT NOT NULL DEFAULT ''",
    # beside: JSON object, what a question holds beside its words. picture: (D,) little-endian float32.
    "ALTER TABLE answers ADD COLUMN beside TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE answers ADD COLUMN picture BLOB",
    "CREATE INDEX answers_by_asker ON answers (platform, space, channel, asked_by, made_at)",
    # wish: a digest, for people's words are theirs. at_s: a time within the moment.
    """
    CREATE TABLE votes (
        platform TEXT NOT NULL, space TEXT NOT NULL, wish TEXT NOT NULL,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE, at_s REAL NOT NULL, user_id TEXT NOT NULL,
        value INTEGER NOT NULL CHECK (value IN (-1, 1)), PRIMARY KEY (platform, space, wish, video_id, at_s, user_id)
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE INDEX votes_by_video ON votes (video_id)",
    """
    CREATE TRIGGER votes_go_with_the_film AFTER DELETE ON postings BEGIN
        DELETE FROM votes
        WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space AND NOT EXISTS (
            SELECT 1 FROM postings
            WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space
        );
    END
    """,
)

ORDERS = (
    # revision: how often the moments came into another order. earlier: JSON list, the orders before, newest last.
    "ALTER TABLE answers ADD COLUMN revision INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE answers ADD COLUMN earlier TEXT NOT NULL DEFAULT '[]'",
)

CURVES = (
    # The curves that answers were made of, over the frames of an indexing. scores: (T, N) little-endian float16, a row
    # for each text. about: JSON object, the texts, what the scores mean, and which part is no answer.
    """
    CREATE TABLE curves (
        id INTEGER PRIMARY KEY, answer_id TEXT NOT NULL REFERENCES answers ON DELETE CASCADE,
        indexing_id INTEGER NOT NULL REFERENCES indexings ON DELETE CASCADE, about TEXT NOT NULL,
        scores BLOB NOT NULL, UNIQUE (answer_id, indexing_id)
    ) STRICT
    """,
    "CREATE INDEX curves_by_indexing ON curves (indexing_id)",
)

BALLOTS = (
    # What each press voted, for as long as the press is kept. start_s, end_s: the moment as it was then.
    # at_s: a time in it. before: JSON list of at_s and value, that person's votes that stood there.
    """
    CREATE TABLE ballots (
        id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE, platform TEXT NOT NULL,
        space TEXT NOT NULL, wish TEXT NOT NULL, video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        start_s REAL NOT NULL, end_s REAL NOT NULL, at_s REAL NOT NULL, user_id TEXT NOT NULL,
        value INTEGER NOT NULL CHECK (value IN (-1, 1)), before TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX ballots_by_job ON ballots (job)",
    "CREATE INDEX ballots_by_video ON ballots (video_id)",
    "CREATE INDEX ballots_by_user ON ballots (platform, space, user_id)",
    """
    CREATE TRIGGER ballots_go_with_the_film AFTER DELETE ON postings BEGIN
        DELETE FROM ballots
        WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space AND NOT EXISTS (
            SELECT 1 FROM postings
            WHERE video_id = OLD.video_id AND platform = OLD.platform AND space = OLD.space
        );
    END
    """,
)

BY_FILM = (
    # Whether a film is posted somewhere is asked for each moment of an answer, and for each message that shows it.
    "CREATE INDEX postings_by_film ON postings (video_id, platform, space, channel)",
    "CREATE INDEX jobs_by_message ON jobs (message)",
)

_FIRST_POSTING = "(SELECT {column} FROM postings AS first WHERE first.video_id = postings.video_id ORDER BY id LIMIT 1)"
_ELSEWHERE = f"(platform, space) <> {_FIRST_POSTING.format(column='platform, space')}"
_HAS_MORE_THAN_A_PATH = "(url LIKE '%?%' OR url LIKE '%#%')"
_OF_A_SITE = """
    (
        video_id GLOB 'youtube:*' OR video_id GLOB 'dailymotion:*' OR video_id GLOB 'tiktok:*'
        OR video_id GLOB 'vimeo:*' AND url IN
        ('https://vimeo.com/' || substr(video_id, 7), 'https://player.vimeo.com/video/' || substr(video_id, 7))
    )
"""
_OF_THE_SAME_BYTES = f"""
    video_id GLOB 'sha256:*'
    AND (url = '' OR NOT {_HAS_MORE_THAN_A_PATH} OR url <> {_FIRST_POSTING.format(column="url")})
"""

LEADS = (
    # What a space was given because another had it: by an id that a server chose, or by a link without its key.
    f"DELETE FROM postings WHERE {_ELSEWHERE} AND NOT ({_OF_A_SITE} OR {_OF_THE_SAME_BYTES})",  # noqa: S608 - our own words
    # Addresses that came with another space's link. YouTube's name the film and nothing else.
    f"""
    UPDATE postings SET url = '' WHERE {_ELSEWHERE} AND video_id NOT GLOB 'sha256:*' AND video_id NOT GLOB 'youtube:*'
    AND {_HAS_MORE_THAN_A_PATH}
    """,  # noqa: S608
    # site_id: what the extractor that fetched it said that it is, or "".
    """
    CREATE TABLE leads (
        link TEXT NOT NULL, platform TEXT NOT NULL, space TEXT NOT NULL, site_id TEXT NOT NULL,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE, title TEXT NOT NULL, url TEXT NOT NULL,
        uploader TEXT NOT NULL, PRIMARY KEY (link, platform, space)
    ) STRICT
    """,
    # A link stays where it was spelled out, was a site's own id, or names a platform's file.
    """
    INSERT OR IGNORE INTO leads
    SELECT link, platform, space, '', links.video_id, links.title, links.url, links.uploader
    FROM links JOIN postings ON postings.video_id = links.video_id
    AND (postings.title, postings.url, postings.uploader) = (links.title, links.url, links.uploader)
    WHERE link = links.url OR link GLOB 'discord:*' OR link GLOB 'slack:*' OR (
        link = links.video_id AND (link NOT GLOB 'vimeo:*' OR links.url IN
        ('https://vimeo.com/' || substr(link, 7), 'https://player.vimeo.com/video/' || substr(link, 7)))
    )
    """,
    "DROP TABLE links",
    "ALTER TABLE leads RENAME TO links",
    "CREATE INDEX links_by_video ON links (video_id)",
    # What a request fetched, and by which link: before, a film under way had the names of whoever asked for it last.
    # What was under way begins anew: nobody knows any more which space fetched it.
    "UPDATE jobs SET video_id = '' WHERE state IN ('queued', 'running') AND looks = 0",
    "DELETE FROM works",
    "DROP INDEX works_by_link",
    *(f"ALTER TABLE works DROP COLUMN {column}" for column in ("link", "url", "title", "uploader", "several")),
    "ALTER TABLE jobs ADD COLUMN link TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN site_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE jobs ADD COLUMN several INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX jobs_by_link ON jobs (link) WHERE link <> ''",
)

_SITES_OF_ANY_HOST = """
    'mediasite', 'mediasitecatalog', 'mediasitenamedcatalog', 'peertube', 'peertubeplaylist', 'eagleplatform',
    'html5mediaembed', 'camtasiaembed', 'elementorembed', 'plyrembed', 'quotedhtml', 'wordpressplaylistembed',
    'wordpressminiaudioplayerembed'
"""
"""Extractors whose ids a stranger's server gives, by the patterns that yt-dlp matches links with (2026-11-30)."""
_SITE = "substr(video_id, 1, instr(video_id, ':') - 1)"
_NUMBER = "substr(video_id, instr(video_id, ':') + 1)"
_MANY_SPACES = """
    (SELECT count(*) FROM (
        SELECT platform, space FROM postings UNION SELECT platform, space FROM jobs
        UNION SELECT platform, space FROM errands
    )) > 1
"""
_HERE = "one.video_id = postings.video_id AND (one.platform, one.space) = (postings.platform, postings.space)"
_IS_PLAIN = f"url IN ('https://vimeo.com/' || {_NUMBER}, 'https://player.vimeo.com/video/' || {_NUMBER})"
_IS_NOWHERE = "video_id NOT IN (SELECT video_id FROM postings)"

WITHDRAWN = (
    # Who had fetched a film may have forgotten it before `LEADS` came: then a space that was only given it was taken
    # for its first. Nobody can tell any more whose a film is that any server could give an id.
    f"DELETE FROM postings WHERE {_SITE} IN ({_SITES_OF_ANY_HOST}) AND {_MANY_SPACES}",  # noqa: S608 - our own words
    # A film has the address that it was fetched from.
    f"""
    DELETE FROM postings WHERE video_id NOT GLOB 'sha256:*' AND NOT {_OF_A_SITE} AND NOT EXISTS (
        SELECT 1 FROM postings AS one JOIN videos ON videos.id = one.video_id
        WHERE {_HERE} AND (one.url = videos.url OR videos.url = '')
    )
    """,  # noqa: S608
    # An unlisted film that was fetched with its key is not for a space that posted the link without.
    f"""
    DELETE FROM postings WHERE video_id GLOB 'vimeo:*' AND {_IS_PLAIN} AND EXISTS (
        SELECT 1 FROM videos WHERE id = postings.video_id AND url <> '' AND NOT ({_IS_PLAIN.replace("video_id", "id")})
    ) AND NOT EXISTS (SELECT 1 FROM postings AS one WHERE {_HERE} AND NOT (one.{_IS_PLAIN}))
    """,  # noqa: S608
    # A link that names another film of the same site was led to this one.
    f"""
    DELETE FROM postings WHERE {_ELSEWHERE} AND {_OF_A_SITE} AND url <> '' AND instr(url, {_NUMBER}) = 0
    """,  # noqa: S608
    """
    DELETE FROM links WHERE NOT EXISTS (
        SELECT 1 FROM postings AS one
        WHERE one.video_id = links.video_id AND (one.platform, one.space) = (links.platform, links.space)
    )
    """,
    """
    DELETE FROM answers WHERE EXISTS (
        SELECT 1 FROM json_each(moments) WHERE NOT EXISTS (
            SELECT 1 FROM postings AS one
            WHERE one.video_id = json_extract(value, '$.video_id')
            AND (one.platform, one.space) = (view_platform, view_space)
        )
    )
    """,
    # Nothing follows by itself while the tables are changed.
    f"DELETE FROM chunks WHERE indexing_id IN (SELECT id FROM indexings WHERE {_IS_NOWHERE})",  # noqa: S608
    *(f"DELETE FROM {table} WHERE {_IS_NOWHERE}" for table in ("indexings", "thumbnails", "votes", "ballots")),  # noqa: S608
    f"DELETE FROM videos WHERE {_IS_NOWHERE.replace('video_id', 'id', 1)}",  # noqa: S608
)

LOSSES = (
    # One row. number: how many transactions counted. What was acknowledged last stands beside the database, too (see
    # `continuity`). library: names this database, and all copies of it.
    "CREATE TABLE commits (library TEXT NOT NULL, number INTEGER NOT NULL) STRICT",
    "INSERT INTO commits VALUES (lower(hex(randomblob(8))), 0)",
    # What was found missing when the database was opened. what: 'new', 'another' or 'changes'; changes: how many are
    # lost. is_settled: media files that nothing leads to since then were set aside.
    """
    CREATE TABLE losses (
        number INTEGER PRIMARY KEY, found_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%SZ')),
        what TEXT NOT NULL CHECK (what IN ('new', 'another', 'changes')), changes INTEGER NOT NULL DEFAULT 0,
        is_settled INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    # Questions were kept for a month after they had been answered, by whatever name they gave of a film.
    "UPDATE jobs SET source = '', name = '' WHERE kind = 'find' AND ended_s IS NOT NULL",
)
