"""What an answer shows, and its buttons."""
