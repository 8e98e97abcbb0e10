"""Workflows: definitions in TOML, and the engine that runs them durably."""
