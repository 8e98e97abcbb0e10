"""The planner agent: what to do first about the open alarms."""
