"""MQTT: the embedded broker, one client wrapper, one codec."""
