"""Whether a site is set up: what is missing, and the command that mends it."""
