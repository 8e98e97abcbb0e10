"""The benchmarks of `millwright bench`."""
