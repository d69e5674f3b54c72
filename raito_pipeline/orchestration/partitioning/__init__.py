"""Accounts, regions and organizations of `raito.yml` as partitions, and those that are gone from it."""
