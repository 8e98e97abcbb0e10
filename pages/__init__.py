"""Operator screens: one file a page, each with `create(plant)`."""
