"""The advisor agent: what the procedures and findings at hand say to do."""
