"""Django's PostgreSQL backend with time limits; Django imports `base`."""
