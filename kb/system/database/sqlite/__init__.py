"""Django's SQLite backend that never creates or mixes up files; Django imports `base`."""
