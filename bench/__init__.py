"""Speed, size and relevance, measured so that anyone can repeat it: `make bench`."""
