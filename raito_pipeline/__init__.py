"""Keeps AWS and Raito Cloud in step, as a Dagster project."""
