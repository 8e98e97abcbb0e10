"""Live values: the tag table and what browsers receive of it."""
