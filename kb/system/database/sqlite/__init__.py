"""SQLite backend that never creates or exchanges files; Django imports `base`."""
