"""Millwright: the operator app that runs a factory's agents."""

__version__ = "0.1.0"
