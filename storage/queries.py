"""What the library asks of its tables: SQL that reads films, postings, looks and answers. Runs none of it."""

from __future__ import annotations

# Newest is what came in last: `posted_at` is only shown, for a clock may jump back.
# :stale_for is NULL, or the recipe that the films must lack.
POSTED = """
    SELECT videos.*, newest.* FROM (
        SELECT video_id, platform, space, channel, user_id, user_name, message, posted_at, message_url,
            title AS here_title, url AS here_url, uploader AS here_uploader, id AS posting_id,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    ) AS newest
    JOIN videos ON videos.id = newest.video_id
    WHERE nth = 1 AND (
        :stale_for IS NULL
        OR EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id)
        AND NOT EXISTS (SELECT 1 FROM indexings WHERE video_id = videos.id AND recipe_key = :stale_for)
    )
    ORDER BY posting_id DESC
"""

COUNT = """
    SELECT count(DISTINCT video_id) FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
"""

# `folded` is casefold (see `Connections`): SQLite's LIKE and lower() know ASCII alone. :typed is folded already.
MATCHING = """
    SELECT videos.*, newest.* FROM (
        SELECT video_id, title AS here_title, url AS here_url, uploader AS here_uploader, id AS posting_id,
            folded(title) AS title_folded, row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    ) AS newest
    JOIN videos ON videos.id = newest.video_id
    WHERE nth = 1 AND NOT EXISTS (SELECT 1 FROM json_each(:words) WHERE NOT instr(title_folded, value))
    ORDER BY CASE
        WHEN title_folded = :typed THEN 0
        WHEN instr(title_folded, :typed) = 1 THEN 1
        WHEN instr(title_folded, ' ' || :typed) THEN 2
        ELSE 3
    END, posting_id DESC
    LIMIT :most
"""

NEWEST_POSTING = """
    SELECT *, title AS here_title, url AS here_url, uploader AS here_uploader FROM postings
    WHERE video_id = :video_id AND platform = :platform AND space = :space
    AND channel IN (SELECT value FROM json_each(:channels)) AND (:user_id IS NULL OR user_id = :user_id)
    ORDER BY id DESC LIMIT 1
"""

# No ORDER BY: SQLite's sorter would carry every BLOB about.
CHUNKS = """
    SELECT videos.*, here_title, here_url, here_uploader, first_posting_id, number, times_s, vectors FROM (
        SELECT video_id, min(id) OVER (PARTITION BY video_id) AS first_posting_id,
            title AS here_title, url AS here_url, uploader AS here_uploader,
            row_number() OVER (PARTITION BY video_id ORDER BY id DESC) AS nth
        FROM postings
        WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
        AND (:video_id IS NULL OR video_id = :video_id)
    ) AS seen
    JOIN videos ON videos.id = seen.video_id AND seen.nth = 1
    JOIN indexings ON indexings.video_id = videos.id AND indexings.recipe_key = :recipe_key
    JOIN chunks ON chunks.indexing_id = indexings.id
"""

ANY_INDEX = """
    SELECT 1 FROM postings JOIN indexings USING (video_id)
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (:video_id IS NULL OR video_id = :video_id) AND recipe_key = :recipe_key
    LIMIT 1
"""

POSTED_SO = """
    SELECT DISTINCT video_id FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (NOT json_array_length(:by) OR user_id IN (SELECT value FROM json_each(:by)))
    AND (:after IS NULL OR posted_at >= :after) AND (:before IS NULL OR posted_at < :before)
"""

POSTERS = """
    SELECT DISTINCT user_id, user_name FROM postings
    WHERE platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
"""

LAST_ANSWER = """
    SELECT * FROM answers
    WHERE platform = :platform AND space = :space AND channel = :channel AND asked_by = :user_id
    ORDER BY made_at DESC, rowid DESC LIMIT 1
"""


# Of all spaces: which of them counts is decided by `core.leads` alone.
LEADS = """
    SELECT videos.*, links.title AS here_title, links.url AS here_url, links.uploader AS here_uploader,
        link, platform, space, site_id
    FROM links JOIN videos ON videos.id = links.video_id WHERE link = :link
"""

LOOKS = """
    SELECT coalesce(sum(length(times_s)) / 8, 0) AS looks FROM indexings
    JOIN chunks ON chunks.indexing_id = indexings.id
    WHERE video_id = :video_id AND recipe_key = :recipe_key
"""

# What leads to a film's file.
NEEDED = "SELECT video_id FROM works WHERE video_id = :id UNION SELECT id FROM videos WHERE id = :id"
