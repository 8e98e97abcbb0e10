"""The knowledge agent: finds passages of the shipped documents."""
