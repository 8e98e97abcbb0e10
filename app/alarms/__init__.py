"""Findings and limits become ISA-18.2 alarms."""
