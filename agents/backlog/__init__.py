"""The backlog agent: maintenance orders and what happened in a shift."""
