"""What the alarm service keeps of one alarm: the alarm, and the facts behind its state."""

import hashlib
from datetime import datetime

import msgspec

from app.core.alarm import Alarm, AlarmState, Finding, JournalEntry
from app.core.alarm_machine import Snapshot


class AlarmRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An alarm with the facts that its state alone does not tell; stored at every change.

    Attributes:
        alarm: As operators see it.
        owes: An acknowledgement is owed.
        latched: The latch is set.
        raised_hidden: The acknowledgement is owed for something that happened while hidden.
        stated_at: When the finding behind the last raise, return or change of priority was
            found; an older one is a late delivery.
        superseded: Suppressed by design by the app, because a worse limit of the tag is passed.
    """

    alarm: Alarm
    owes: bool = False
    latched: bool = False
    raised_hidden: bool = False
    superseded: bool = False
    stated_at: datetime | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The state machine's view."""
        return Snapshot(
            state=self.alarm.state,
            active=self.alarm.active,
            owes=self.owes,
            latched=self.latched,
            raised_hidden=self.raised_hidden,
            latching=self.alarm.finding.latching,
        )


class Change(msgspec.Struct, frozen=True):
    """One journal line with the alarm as it is after it; stored in one transaction."""

    entry: JournalEntry
    record: AlarmRecord


def alarm_id(finding: Finding) -> str:
    """Return the id of the alarm a finding speaks of: a path segment, the same for ever."""
    return hashlib.blake2b(finding.key.encode(), digest_size=8).hexdigest()


def first_record(finding: Finding, now: datetime) -> AlarmRecord:
    """Return the record of an alarm that has never been raised."""
    return AlarmRecord(
        alarm=Alarm(
            id=alarm_id(finding),
            finding=finding,
            state=AlarmState.NORMAL,
            active=False,
            raised_at=now,
            changed_at=now,
            count=0,
        )
    )
