"""Tables of what a link led to, by space; removes what earlier versions shared too widely. Released: never edit."""

_FIRST = "(SELECT {column} FROM postings AS first WHERE first.video_id = postings.video_id ORDER BY id LIMIT 1)"
_ELSEWHERE = f"(platform, space) <> {_FIRST.format(column='platform, space')}"
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
    AND (url = '' OR NOT {_HAS_MORE_THAN_A_PATH} OR url <> {_FIRST.format(column="url")})
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
        link TEXT NOT NULL,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        site_id TEXT NOT NULL,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        title TEXT NOT NULL,
        url TEXT NOT NULL,
        uploader TEXT NOT NULL,
        PRIMARY KEY (link, platform, space)
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
