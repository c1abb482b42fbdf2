"""The knowledge base: a Django app of the FAQ, the canned replies and their search."""
