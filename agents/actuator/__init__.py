"""The actuator: the one agent that changes tags of the plant, on signed orders alone."""
