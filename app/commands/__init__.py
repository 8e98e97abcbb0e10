"""The one path by which a tag of the plant is changed."""
