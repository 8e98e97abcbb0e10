"""Agents: every long-running job, one process each."""
