"""What knows nothing of the library: database backends, files, throttling, outages."""
