"""The Slack door: events in, messages out. No video logic, no SQL."""
