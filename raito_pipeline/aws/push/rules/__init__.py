"""What a push may do at all, and what holds it back. Pure."""
