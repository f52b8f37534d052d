"""The Discord door: events in, messages out. No video logic, no SQL."""
