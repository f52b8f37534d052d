"""Child processes that read what strangers post, and the walls around them."""
