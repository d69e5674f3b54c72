"""Measurements, not tests: `make bench` prints calls, ratios of times taken in one run, and peak memory."""
