"""The demo plant: a physical model of eleven machines, their meters and their network."""
