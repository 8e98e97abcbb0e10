"""Traffic of the control network: polling, people at work, and a stranger who scans."""

from agents.simulator.commands import Commands
from agents.simulator.declare import Design, analog
from agents.simulator.dynamics import Noise, Surroundings, Wander
from agents.simulator.faults import Faults
from agents.simulator.responses import Words
from agents.simulator.vibration import Signature
from app.core.alarm import Priority
from app.core.equipment import EquipmentKind, Limits
from app.core.response import Response, Responses

_PEERS = 14
_POLLS = 220.0
_PACKET_KB = 0.14

_RESPONSES: Words = {
    "packets": Responses(
        high=Response(
            "Find out which peer sends most, and whether a backup or an update runs. If nobody "
            "knows of one within 15 minutes, call network security.",
            Priority.LOW,
        ),
    ),
    "new_connections": Responses(
        high=Response(
            "Ask whether an engineer works in the control network. If nobody does, note the peer's "
            "address and call network security within 15 minutes."
        ),
        high_high=Response(
            "Call network security now and cut remote access at the firewall. This looks like a "
            "scan: leave the controllers running, and do not restart any."
        ),
    ),
    "resets": Responses(
        high=Response(
            "Check whether a controller or server is down or was restarted. If all answer, "
            "somebody tries closed doors: note the address and call network security within "
            "15 minutes."
        ),
    ),
    "writes": Responses(
        high=Response(
            "Ask who loads a recipe or a program now. If nobody does, cut remote access at once "
            "and compare the set points of running machines with their recipes.",
            Priority.HIGH,
        ),
    ),
    "failed_logins": Responses(
        high=Response(
            "Ask the engineers whether one of them mistyped a password. If none did, lock the "
            "account, note the address and call network security within 15 minutes."
        ),
    ),
    "distinct_peers": Responses(
        high=Response(
            "Compare the peers with the network plan. Find the device that does not belong, "
            "unplug it within 30 minutes and tell network security."
        ),
    ),
    "distinct_ports": Responses(
        high=Response(
            "Ask whether an inventory or a security scan is booked. If none is, note the address "
            "and call network security within 15 minutes."
        ),
    ),
    "poll_latency": Responses(
        high=Response(
            "Check the traffic first, then switch and cables to the controllers, within the hour. "
            "Values come late meanwhile, so steer nothing quick by hand from a screen."
        ),
    ),
}


class Network:
    """The state of one network tap."""

    kind = EquipmentKind.NETWORK
    main_tag = "packets"

    def __init__(self, noise: Noise) -> None:
        self.commands = Commands({})
        self._noise = noise
        self._polling = Wander(noise, 0.015, 60.0)
        self._engineer_s = 0.0
        self._burst_s = 0.0

    def tags(self) -> list[Design]:
        """Declare the unit's tags."""
        return [
            analog("packets", "Packets", "1/s", (0, 5000), (150, 600), limits=Limits(high=1500),
                   decimals=0, responses=_RESPONSES["packets"]),
            analog("traffic", "Traffic", "kBy/s", (0, 1000), (15, 120)),
            analog("new_connections", "New connections", "1/s", (0, 500), (0, 6),
                   limits=Limits(high=25, high_high=80), decimals=0,
                   responses=_RESPONSES["new_connections"]),
            analog("resets", "Refused or reset connections", "1/s", (0, 500), (0, 3),
                   limits=Limits(high=20), decimals=0, responses=_RESPONSES["resets"]),
            analog("writes", "Write requests to controllers", "1/s", (0, 200), (0, 20),
                   limits=Limits(high=60), decimals=0, responses=_RESPONSES["writes"]),
            analog("failed_logins", "Failed logins", "1/s", (0, 50), (0, 1),
                   limits=Limits(high=5), decimals=0, responses=_RESPONSES["failed_logins"]),
            analog("distinct_peers", "Distinct peers", "1", (0, 300), (10, 20),
                   limits=Limits(high=30), decimals=0, responses=_RESPONSES["distinct_peers"]),
            analog("distinct_ports", "Distinct destination ports", "1", (0, 2000), (2, 12),
                   limits=Limits(high=60), decimals=0, responses=_RESPONSES["distinct_ports"]),
            analog("poll_latency", "Polling round trip", "ms", (0, 200), (1, 12),
                   limits=Limits(high=50), noise=0.15, responses=_RESPONSES["poll_latency"]),
        ]  # fmt: skip

    def nameplate(self) -> dict[str, str]:
        """Return what an operator finds in the network plan."""
        return {"controllers": "11", "polling_interval_ms": "100", "known_peers": str(_PEERS)}

    def step(self, around: Surroundings, faults: Faults) -> dict[str, float]:
        """Advance one step and return the value of every declared tag by its name."""
        people = self._people(around)
        draw = self._noise.poisson
        scan = faults.network_scan
        strange = draw(110 * scan) if scan else 0
        polls = _POLLS * (1 + self._polling.step(around.dt_s))
        connections = draw(0.6 + 1.5 * people) + strange
        writes = draw(1.5 + 14 * (self._burst_s > 0)) + (draw(8 * scan) if scan else 0)
        packets = polls + draw(12 + 90 * people) + 4 * writes + 3 * strange
        refused = draw(0.05) + (draw(0.8 * strange) if strange else 0)
        return {
            "packets": packets,
            "traffic": packets * _PACKET_KB * (1 + 0.03 * self._noise.normal()),
            "new_connections": float(connections),
            "resets": float(refused),
            "writes": float(writes),
            "failed_logins": float(
                (self._noise.happens(4000, around.dt_s)) + (draw(4 * scan) if scan else 0)
            ),
            "distinct_peers": float(_PEERS - 2 + 2 * people + (draw(60 * scan) if scan else 0)),
            "distinct_ports": float(4 + draw(1 + people) + (draw(300 * scan) if scan else 0)),
            "poll_latency": 3.5 + 0.004 * packets + 0.3 * abs(self._noise.normal()),
        }

    def _people(self, around: Surroundings) -> int:
        """Return 1 while an engineer is connected; recipes are loaded in bursts of writes.

        Both are ordinary work by day and at changeovers, and not a fault.
        """
        dt_s = around.dt_s
        self._engineer_s = max(0.0, self._engineer_s - dt_s)
        self._burst_s = max(0.0, self._burst_s - dt_s)
        if around.shift.is_peak_tariff and self._noise.happens(5400, dt_s):
            self._engineer_s = self._noise.events.uniform(300, 1500)
        often_s = 240.0 if around.shift.is_changeover else 7200.0
        if self._noise.happens(often_s, dt_s):
            self._burst_s = self._noise.events.uniform(8, 40)
        return 1 if self._engineer_s > 0 else 0

    @property
    def load(self) -> tuple[float, float]:
        """Counted by no meter."""
        return 0.0, 1.0

    @property
    def shaking(self) -> Signature | None:
        """A network does not turn."""
        return None
