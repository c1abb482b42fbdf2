"""Database backends with time limits, reconnection, and errors that name the reason."""
