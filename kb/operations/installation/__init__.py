"""Whether the site is set up: what is missing, and the commands that install it."""
