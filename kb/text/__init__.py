"""Everything Chinese: pure functions of text, no database, no models."""
