"""How units declare their tags: Tag plus the noise of its sensor."""

from dataclasses import dataclass, replace
from enum import IntEnum

import msgspec

from agents.simulator.responses import Words
from app.core.equipment import Limits, Tag, TagKind
from app.core.response import Responses
from app.core.write_rule import Confirm, Interlock, WriteRule

ECHO_TOLERANCE = 0.05
"""How far the echo of a set value may be off: it comes with two decimals."""
RUN_VERIFY_S = 30.0
"""Within this every drive of the plant has run down from full speed, s."""


class Stream(IntEnum):
    """Where a tag's readings come from.

    FIRST: The sensors that the shipped models were trained on; add none, their noise would shift.
    LATER: Sensors that came after those.
    ECHO: No sensor; the controller repeats what it was told.
    """

    FIRST = 0
    LATER = 1
    ECHO = 2


@dataclass(frozen=True, slots=True)
class Design:
    """One tag of one kind of unit, before it has a place in the plant.

    Attributes:
        tag: The declaration; its path is still the bare tag name.
        noise: Standard deviation of the sensor, in the tag's unit.
        stream: Where its noise comes from: the streams do not move each other.
    """

    tag: Tag
    noise: float
    stream: Stream = Stream.FIRST


def analog(
    name: str,
    description: str,
    unit: str,
    span: tuple[float, float],
    normal: tuple[float, float],
    *,
    limits: Limits | None = None,
    responses: Responses | None = None,
    decimals: int = 1,
    noise: float = 0.0,
    counts_while: str = "",
) -> Design:
    """Declare a measured value; deadband is 1 % of the range, on-delay 5 s where it has limits."""
    guarded = limits is not None
    return Design(
        Tag(
            path=name,
            description=description,
            unit=unit,
            low=round(span[0], 3),
            high=round(span[1], 3),
            normal_low=round(normal[0], 3),
            normal_high=round(normal[1], 3),
            limits=_rounded(limits or Limits()),
            deadband=round((span[1] - span[0]) / 100, 3) if guarded else 0.0,
            on_delay_s=5.0 if guarded else 0.0,
            decimals=decimals,
            responses=responses or Responses(),
            limits_while=counts_while,
        ),
        noise,
    )


def state(name: str, description: str, states: dict[int, str]) -> Design:
    """Declare a tag whose numbers stand for words."""
    kind = TagKind.BINARY if set(states) == {0, 1} else TagKind.STATE
    return Design(
        Tag(
            path=name,
            description=description,
            kind=kind,
            low=0,
            high=max(states),
            decimals=0,
            states=states,
        ),
        0.0,
    )


def setting(
    name: str,
    description: str,
    unit: str,
    span: tuple[float, float],
    rule: WriteRule,
    *,
    decimals: int = 1,
) -> Design:
    """Declare a value that the unit is told; its range is what it takes."""
    return Design(
        Tag(
            path=name,
            description=description,
            unit=unit,
            low=span[0],
            high=span[1],
            decimals=decimals,
            write=rule,
        ),
        0.0,
        Stream.ECHO,
    )


def switch(name: str, description: str, states: dict[int, str], rule: WriteRule) -> Design:
    """Declare a set tag whose numbers stand for words."""
    return replace(writable(state(name, description, states), rule), stream=Stream.ECHO)


def writable(design: Design, rule: WriteRule) -> Design:
    """Return a tag's declaration with a rule by which it may be changed."""
    return replace(design, tag=msgspec.structs.replace(design.tag, write=rule))


def later(design: Design) -> Design:
    """Return a tag's declaration with a sensor that came after those of the shipped models."""
    return replace(design, stream=Stream.LATER)


def run_tags(confirm: Confirm = Confirm.SELF) -> list[Design]:
    """Declare the run command of a drive and the contactor's answer to it.

    The command has no interlock: nothing may keep a person from stopping a machine.
    """
    rule = WriteRule(
        min_interval_s=5.0, confirm=confirm, verify_tag="drive_on", verify_s=RUN_VERIFY_S
    )
    return [
        switch("run_command", "Run command", {0: "stop", 1: "run"}, rule),
        later(state("drive_on", "Drive, as its contactor reports", {0: "off", 1: "on"})),
    ]


def speed_limit(slowest: float, fastest: float, *interlocks: Interlock) -> Design:
    """Declare the cap on the automatic speed control, in percent of rated speed.

    It is verified by its own echo from the controller: a cap above what the automatic control
    wants shows on no measured tag.
    """
    rule = WriteRule(min_interval_s=5.0, interlocks=interlocks, tolerance=ECHO_TOLERANCE)
    return setting("speed_limit", "Speed limit, of rated speed", "%", (slowest, fastest), rule)


def counter(name: str, description: str, unit: str = "1", decimals: int = 0) -> Design:
    """Declare a value that only grows."""
    return Design(
        Tag(
            path=name,
            description=description,
            unit=unit,
            kind=TagKind.COUNTER,
            low=0,
            high=1e9,
            decimals=decimals,
        ),
        0.0,
    )


def motor_tags(power_kw: float, current: float, words: Words) -> list[Design]:
    """Declare what is measured at a motor of a rated power (kW) and current (A)."""
    return [
        analog("power", "Electric power", "kW", (0, power_kw * 2), (0, power_kw * 1.15),
               decimals=2, noise=power_kw * 0.003),
        analog("current", "Motor current", "A", (0, current * 2), (0, current * 1.15),
               noise=current * 0.003),
        analog("winding_temperature", "Winding temperature", "Cel", (0, 180), (10, 105),
               limits=Limits(high=120, high_high=140), noise=0.15,
               responses=words["winding_temperature"]),
    ]  # fmt: skip


def vibration_tags(words: Words) -> list[Design]:
    """Declare the vibration figures of one second; limits are zones C and D of ISO 20816-3."""
    return [
        analog("vibration_velocity", "Vibration velocity, RMS", "mm/s", (0, 15), (0, 2.8),
               limits=Limits(high=4.5, high_high=7.1), decimals=2,
               responses=words["vibration_velocity"]),
        analog("vibration_acceleration", "Vibration acceleration, RMS", "m/s2", (0, 60), (0, 5),
               decimals=2),
        analog("vibration_kurtosis", "Vibration kurtosis", "1", (0, 60), (2, 4), decimals=2),
        analog("vibration_crest", "Vibration crest factor", "1", (0, 25), (2.5, 5.5), decimals=2),
    ]  # fmt: skip


def _rounded(limits: Limits) -> Limits:
    """Return the limits to the thousandth, so that no screen shows 1.5999999999999999."""
    edges = msgspec.structs.asdict(limits)
    return Limits(**{name: None if at is None else round(at, 3) for name, at in edges.items()})
