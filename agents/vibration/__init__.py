"""Vibration agent: what a machine's bearing housing says of its rotor and bearings."""
