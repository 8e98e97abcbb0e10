"""What is kept: telemetry history, alarm journal, equipment."""
