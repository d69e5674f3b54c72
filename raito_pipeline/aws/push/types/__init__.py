"""The plan and the changes of each access provider type: `TYPES.py` plans, `TYPE_changes.py` changes."""
