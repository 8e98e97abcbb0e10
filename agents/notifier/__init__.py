"""The notifier agent: tells people of alarms."""
