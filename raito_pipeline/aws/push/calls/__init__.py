"""The calls of a push to AWS: what it reads before it plans, what it changes, and what it reads again."""
