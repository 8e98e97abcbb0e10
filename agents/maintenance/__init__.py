"""Maintenance agent: what the process values of a unit say of failures to come."""
