"""The local Raito Cloud: a real HTTP server that speaks what clients of Raito Cloud expect, its state in SQLite."""
