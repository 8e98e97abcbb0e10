"""The Prometheus text format, version 0.0.4, as far as this app needs it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Sample:
    """One value with its labels."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metric:
    """A named metric with its samples.

    Attributes:
        name: Without the `millwright_` in front.
        kind: A counter never falls while the app runs.
        help: One sentence.
        samples: One a set of labels.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, help_: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return Metric(name, "gauge", help_, (Sample(value, {}),))


def counter(name: str, help_: str, value: float) -> Metric:
    """Return a counter without labels."""
    return Metric(name, "counter", help_, (Sample(value, {}),))


def exposition(metrics: Iterable[Metric]) -> str:
    """Return the text that a Prometheus server scrapes."""
    lines: list[str] = []
    for metric in metrics:
        name = f"millwright_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{_labels(each.labels)} {each.value:.15g}" for each in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items()) + "}"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
