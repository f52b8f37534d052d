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
