"""What stands between the network and the plant: origins, limits, headers."""
