"""What the catalogue says of one workflow file: where it is from and what is wrong with it."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from app.core.run import WorkflowRun
from app.core.workflow import Workflow


class Severity(StrEnum):
    """ERROR: the definition cannot run. WARNING: it can, and a person should look at it."""

    ERROR = "error"
    WARNING = "warning"


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that is wrong in a definition.

    Attributes:
        line: Line of the text, from 1; 0 for the whole file.
        where: Dotted path, such as `steps[2].with.capability`; empty for the whole.
        message: What is wrong.
        hint: What to do about it.
        severity: Whether it can run all the same.
    """

    line: int
    where: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        """The definition cannot run."""
        return self.severity is Severity.ERROR

    @property
    def place(self) -> str:
        """Where it is, as "line 3 steps[0].do"; "text" if it is wrong with the whole."""
        line = f"line {self.line}" if self.line else ""
        return f"{line} {self.where}".strip() or "text"


def by_place(problems: Iterable[Problem]) -> dict[str, str]:
    """Return what is wrong at each place."""
    wrong: dict[str, str] = {}
    for each in problems:
        before = f"{wrong[each.place]}; " if each.place in wrong else ""
        wrong[each.place] = f"{before}{each.message}"
    return wrong


class Origin(StrEnum):
    """SHIPPED: came with the product. OWN: written here; it hides a shipped one of its name."""

    SHIPPED = "shipped"
    OWN = "own"


class Refused(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Events that started no run, all for one reason.

    Attributes:
        at: When the last of them did not, UTC.
        why: What was in the way.
        count: How many there were since the app started.
    """

    at: datetime
    why: str
    count: int = 1


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One workflow of the catalogue.

    Attributes:
        name: Name of the file without `.toml`.
        origin: Where the file is from.
        workflow: The definition; None if the file is broken.
        version: Content hash of the definition, or of the text where it is broken.
        problems: What is wrong with the file.
        active: Runs that are not over.
        last: The latest run.
        enabled: Its triggers work.
        hides_shipped: There is a shipped one of this name, which comes back when this is deleted.
        refused: Events of the last day that started no run, the latest first.
    """

    name: str
    origin: Origin
    workflow: Workflow | None
    version: str
    problems: tuple[Problem, ...] = ()
    active: int = 0
    last: WorkflowRun | None = None
    enabled: bool = True
    hides_shipped: bool = False
    refused: tuple[Refused, ...] = ()
