"""What a person has to check of a broker that is not ours: the app cannot see its settings."""

import msgspec

from app.core.health import ComponentStatus, Health

EXTERNAL_BROKER = "External broker"
CHECKS = (
    "check there that it keeps messages on disk and all of them for clients that are away "
    "(Mosquitto: persistence true, autosave_interval 1, max_queued_messages 0), sends "
    "unacknowledged QoS 1 messages again after a reconnect, and does not delay small ones "
    "(Mosquitto: set_tcp_nodelay true)"
)


def external_broker(bus: ComponentStatus) -> list[ComponentStatus]:
    """Return the note for the Health page; none while the connection has trouble of its own."""
    if bus.state is not Health.OK:
        return []
    remedy = f"Millwright cannot see its settings: {CHECKS}"
    return [msgspec.structs.replace(bus, name=EXTERNAL_BROKER, remedy=remedy)]
