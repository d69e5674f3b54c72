"""The runs of a sync: their tags, their lease, what happened in them, and a sync in this process."""
