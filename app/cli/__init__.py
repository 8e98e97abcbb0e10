"""The commands of `millwright`, one file each."""
