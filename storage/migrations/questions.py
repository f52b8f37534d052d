"""Tables of what queries hold beside their words, of votes, and of orders of moments. Released: never edit."""

QUESTIONS = (
    "ALTER TABLE answers ADD COLUMN asked_by TEXT NOT NULL DEFAULT ''",
    # beside: JSON object, what a question holds beside its words. picture: (D,) little-endian float32.
    "ALTER TABLE answers ADD COLUMN beside TEXT NOT NULL DEFAULT '{}'",
    "ALTER TABLE answers ADD COLUMN picture BLOB",
    "CREATE INDEX answers_by_asker ON answers (platform, space, channel, asked_by, made_at)",
    # wish: a digest, for people's words are theirs. at_s: a time within the moment.
    """
    CREATE TABLE votes (
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        wish TEXT NOT NULL,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        at_s REAL NOT NULL,
        user_id TEXT NOT NULL,
        value INTEGER NOT NULL CHECK (value IN (-1, 1)),
        PRIMARY KEY (platform, space, wish, video_id, at_s, user_id)
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
        id INTEGER PRIMARY KEY,
        answer_id TEXT NOT NULL REFERENCES answers ON DELETE CASCADE,
        indexing_id INTEGER NOT NULL REFERENCES indexings ON DELETE CASCADE,
        about TEXT NOT NULL,
        scores BLOB NOT NULL,
        UNIQUE (answer_id, indexing_id)
    ) STRICT
    """,
    "CREATE INDEX curves_by_indexing ON curves (indexing_id)",
)

BALLOTS = (
    # What each press voted, for as long as the press is kept. start_s, end_s: the moment as it was then.
    # at_s: a time in it. before: JSON list of at_s and value, that person's votes that stood there.
    """
    CREATE TABLE ballots (
        id INTEGER PRIMARY KEY,
        job INTEGER NOT NULL REFERENCES jobs ON DELETE CASCADE,
        platform TEXT NOT NULL,
        space TEXT NOT NULL,
        wish TEXT NOT NULL,
        video_id TEXT NOT NULL REFERENCES videos ON DELETE CASCADE,
        start_s REAL NOT NULL,
        end_s REAL NOT NULL,
        at_s REAL NOT NULL,
        user_id TEXT NOT NULL,
        value INTEGER NOT NULL CHECK (value IN (-1, 1)),
        before TEXT NOT NULL
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
