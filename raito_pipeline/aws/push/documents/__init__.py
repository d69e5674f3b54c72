"""Policy documents as a push writes, edits and compares them. Pure."""
