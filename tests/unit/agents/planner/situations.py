"""Alarms and units for the tests of the planner's rules."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from agents.planner.rules import Flood, Situation
from app.core.alarm import Alarm, AlarmState, Finding, Priority
from app.core.equipment import Equipment, EquipmentKind

NOW = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
FLOOD = Flood(10, 600)
COOLING, BOILER, OVENS = "r/utilities/cooling", "r/utilities/boiler", "r/heat/ovens"
P101, P102, P201, O501 = (
    f"{COOLING}/pump-101",
    f"{COOLING}/pump-102",
    f"{BOILER}/pump-201",
    f"{OVENS}/oven-501",
)
TAP = "r/control/network/tap-701"
UNITS = {
    path: Equipment(path, path.rpartition("/")[2].capitalize(), kind)
    for path, kind in (
        (P101, EquipmentKind.MOTOR_PUMP),
        (P102, EquipmentKind.MOTOR_PUMP),
        (P201, EquipmentKind.MOTOR_PUMP),
        (O501, EquipmentKind.OVEN),
        (TAP, EquipmentKind.NETWORK),
        ("r/utilities/cooling/meter", EquipmentKind.ENERGY_METER),
    )
}


def finding(
    equipment: str = P101,
    condition: str = "high",
    agent: str = "limits",
    priority: Priority | None = Priority.HIGH,
    *,
    response: str = "",
    message: str = "",
) -> Finding:
    return Finding(agent, condition, equipment, NOW, priority, message=message, response=response)


def alarm(
    id: str,
    equipment: str = P101,
    seconds: float = 0,
    *,
    condition: str = "high",
    agent: str = "limits",
    priority: Priority | None = Priority.HIGH,
    state: AlarmState = AlarmState.UNACK,
    active: bool = True,
    response: str = "",
    message: str = "",
) -> Alarm:
    at = NOW + timedelta(seconds=seconds)
    stated = finding(equipment, condition, agent, priority, response=response, message=message)
    return Alarm(id, stated, state, active, at, at)


def situation(*alarms: Alarm, findings: tuple[Finding, ...] = ()) -> Situation:
    return Situation(alarms, findings, UNITS, NOW + timedelta(hours=1), BERLIN)


ANY_ALARM = st.builds(
    alarm,
    st.uuids().map(str),
    st.sampled_from([P101, f"{P101}/flow", P102, P201, O501, TAP, "system/app/host/Telemetry"]),
    st.integers(0, 4000),
    condition=st.sampled_from(["high", "bad_quality", "no_values", "imbalance"]),
    priority=st.none() | st.sampled_from(Priority),
    state=st.sampled_from([AlarmState.UNACK, AlarmState.ACK, AlarmState.RTN_UNACK]),
    active=st.booleans(),
)
