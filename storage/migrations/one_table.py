"""One table of all that is to be done once. Released: never edit."""

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
