"""Triggers that count changes of videos, embeddings and postings. Released: never edit."""

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
