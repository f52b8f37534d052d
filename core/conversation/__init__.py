"""From an event to replies."""
