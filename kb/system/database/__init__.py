"""Database backends that fail fast, heal by themselves and name the reason."""
