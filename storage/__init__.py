"""What is kept on disk: SQLite behind ports.Library, media files behind ports.Media. Knows no platform, no engine."""
