"""Child processes and the agents heard on the bus."""
