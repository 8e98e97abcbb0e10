"""Commands on disk: the same on SQLite and Postgres, and one state at a time for all writers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
import sqlalchemy as sa

from app.core.command import Command, CommandState
from app.core.errors import ConflictError, StoreError
from app.store.commands import METADATA, WHAT, CommandStore, Sent, UnderWay
from app.store.database import Database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"

REQUESTED, AWAITING = CommandState.REQUESTED, CommandState.AWAITING_APPROVAL
DISPATCHED, ACKNOWLEDGED = CommandState.DISPATCHED, CommandState.ACKNOWLEDGED
VERIFIED, UNKNOWN = CommandState.VERIFIED, CommandState.UNKNOWN
REJECTED, EXPIRED = CommandState.REJECTED, CommandState.EXPIRED

Step = Callable[..., Command]


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'commands.sqlite'}"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, METADATA, WHAT)
    made.open()
    with made.begin() as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
    yield made
    made.close()


@pytest.fixture
def store(database: Database) -> CommandStore:
    return CommandStore(database)


def command(name: str = "", tag: str = "speed_setpoint", after_s: float = 0.0) -> Command:
    at = NOW + timedelta(seconds=after_s)
    return Command(
        id=name or uuid4().hex,
        tag=f"{UNIT}/{tag}",
        value=900.0,
        requested_by="ann",
        source="ui",
        requested_at=at,
        expires_at=at + timedelta(seconds=60),
        state=REQUESTED,
        changed_at=at,
        why="too hot",
    )


def to(old: Command, state: CommandState, **fields: object) -> Command:
    return msgspec.structs.replace(old, state=state, **fields)


@pytest.fixture
def walk(store: CommandStore) -> Step:
    """Take a command through states, a second each."""

    def walked(wanted: Command, *states: CommandState) -> Command:
        now = store.insert(wanted)
        for state in states:
            at = now.changed_at + timedelta(seconds=1)
            sent_at = at if state is DISPATCHED else now.sent_at
            stepped = to(now, state, changed_at=at, sent_at=sent_at)
            assert store.change(now, stepped, "system")
            now = stepped
        return now

    return walked


def test_a_command_is_read_back_as_it_was_kept(store: CommandStore):
    kept = store.insert(command("c1"))

    assert store.get("c1") == kept


@pytest.mark.parametrize("name", ["nothing", "no\0thing"])
def test_what_was_never_kept_is_none(store: CommandStore, name: str):
    assert store.get(name) is None


def test_a_second_one_of_the_same_id_leaves_the_first(store: CommandStore):
    first = store.insert(command("c1"))

    second = store.insert(msgspec.structs.replace(command("c1"), value=5.0))

    assert second == first == store.get("c1")
    assert len(store.changes("c1")) == 1


def test_one_to_a_tag_with_a_nul_is_kept(store: CommandStore):
    """It is refused with a reason; one that cannot be kept would be brought again for ever."""
    kept = store.insert(command("c1", "speed\0"))

    assert store.get("c1") == kept
    assert store.find(tag=kept.tag) == [kept]


def test_every_change_leaves_a_line_of_who_when_old_new_why(store: CommandStore):
    first = store.insert(command("c1"))
    later = NOW + timedelta(seconds=2)
    store.change(first, to(first, DISPATCHED, changed_at=later), "bob", "agreed")

    lines = [(line.actor, line.at, line.old, line.new, line.why) for line in store.changes("c1")]

    assert lines == [
        ("ann", NOW, None, REQUESTED, "too hot"),
        ("bob", later, REQUESTED, DISPATCHED, "agreed"),
    ]


def test_a_reason_within_a_state_is_kept_without_a_line(store: CommandStore):
    first = store.insert(command("c1"))

    store.change(first, to(first, REQUESTED, reason="no actuator is alive"), "system")

    found = store.get("c1")
    assert found
    assert found.reason == "no actuator is alive"
    assert len(store.changes("c1")) == 1


def test_a_change_from_what_is_no_longer_so_changes_nothing(store: CommandStore):
    first = store.insert(command("c1"))
    store.change(first, to(first, REJECTED), "system")

    assert not store.change(first, to(first, DISPATCHED), "system")
    found = store.get("c1")
    assert found
    assert found.state is REJECTED


def test_a_change_of_what_was_never_kept_changes_nothing(store: CommandStore):
    assert not store.change(command("c1"), to(command("c1"), REJECTED), "system")


@pytest.mark.parametrize("new", [VERIFIED, ACKNOWLEDGED, UNKNOWN])
def test_a_step_that_the_life_of_a_command_has_not_is_refused(
    store: CommandStore, new: CommandState
):
    first = store.insert(command("c1"))

    with pytest.raises(ConflictError, match="cannot become"):
        store.change(first, to(first, new), "system")


def test_of_many_that_send_at_once_one_succeeds(store: CommandStore):
    first = store.insert(command("c1"))

    def send(number: int) -> bool:
        return store.change(first, to(first, DISPATCHED), f"app-{number}")

    with ThreadPoolExecutor(8) as threads:
        tries = list(threads.map(send, range(16)))

    assert sum(tries) == 1
    assert len(store.changes("c1")) == 2


def test_of_many_that_insert_one_id_at_once_all_get_the_same(store: CommandStore):
    def ask(number: int) -> float:
        return store.insert(msgspec.structs.replace(command("c1"), value=number)).value

    with ThreadPoolExecutor(8) as threads:
        values = set(threads.map(ask, range(16)))

    assert len(values) == 1


def test_the_list_is_newest_first_and_bounded(store: CommandStore):
    for number in range(5):
        store.insert(command(f"c{number}", after_s=number))

    assert [each.id for each in store.find(limit=2)] == ["c4", "c3"]


def test_the_list_is_of_one_tag_and_some_states(store: CommandStore, walk: Step):
    walk(command("c1"), REJECTED)
    walk(command("c2"), EXPIRED)
    walk(command("c3", tag="valve"), REJECTED)
    walk(command("c4"))

    wanted = store.find([REJECTED, EXPIRED], f"{UNIT}/speed_setpoint")
    assert {each.id for each in wanted} == {"c1", "c2"}


def test_open_are_all_that_have_not_ended_and_the_lately_unknown(store: CommandStore, walk: Step):
    walk(command("ended"), REJECTED)
    walk(command("requested"))
    walk(command("awaiting"), AWAITING)
    walk(command("done"), DISPATCHED, ACKNOWLEDGED)
    walk(command("sent", tag="valve"), DISPATCHED)
    walk(command("verified"), DISPATCHED, ACKNOWLEDGED, VERIFIED)
    walk(command("unknown"), DISPATCHED, UNKNOWN)
    walk(command("long ago", after_s=-3600), DISPATCHED, UNKNOWN)

    found = {each.id for each in store.open(NOW)}
    assert found == {"requested", "awaiting", "sent", "done", "unknown"}


def test_when_a_tag_was_last_sent_a_command(store: CommandStore, walk: Step):
    walk(command(), DISPATCHED, UNKNOWN)
    walk(command(after_s=10), AWAITING, DISPATCHED, ACKNOWLEDGED)
    walk(command(after_s=90), REJECTED)

    now = NOW + timedelta(seconds=90)
    assert store.sent(f"{UNIT}/speed_setpoint", now).last_at == NOW + timedelta(seconds=12)
    assert store.sent(f"{UNIT}/valve", now).last_at is None


def test_what_was_done_and_is_not_shown_yet_is_known(store: CommandStore, walk: Step):
    walk(msgspec.structs.replace(command(), value=1.0), DISPATCHED, ACKNOWLEDGED)
    walk(msgspec.structs.replace(command(after_s=5), value=2.0), DISPATCHED, ACKNOWLEDGED)
    walk(msgspec.structs.replace(command(after_s=9), value=3.0), DISPATCHED, UNKNOWN)
    walk(command(tag="valve"), DISPATCHED, ACKNOWLEDGED, VERIFIED)

    now = NOW + timedelta(seconds=20)
    assert store.sent(f"{UNIT}/speed_setpoint", now).unshown == 2.0
    assert store.sent(f"{UNIT}/valve", now).unshown is None


def test_the_last_sent_is_known(store: CommandStore, walk: Step):
    first = walk(command(), DISPATCHED, ACKNOWLEDGED)
    second = walk(command(after_s=10), DISPATCHED)
    walk(command(tag="valve", after_s=20), DISPATCHED)

    now = NOW + timedelta(seconds=20)
    assert [store.is_last_sent(each, now) for each in (first, second)] == [False, True]


def send(store: CommandStore, wanted: Command) -> bool:
    return store.change(wanted, to(wanted, DISPATCHED, sent_at=NOW, changed_at=NOW), "system")


def test_what_was_sent_before_the_clock_was_set_back_is_no_later_one(
    store: CommandStore, walk: Step
):
    walk(command(after_s=3600), DISPATCHED, ACKNOWLEDGED, VERIFIED)
    second = store.insert(command())
    known = store.sent(second.tag, NOW)
    sent = to(second, DISPATCHED, sent_at=NOW, changed_at=NOW)

    assert known == Sent(None, None)
    assert store.change(second, sent, "system", known=known)
    assert store.is_last_sent(sent, NOW)
    assert store.sent(second.tag, NOW).last_at == NOW


def test_while_one_is_under_way_no_other_is_sent_to_the_tag(store: CommandStore, walk: Step):
    walk(command("first"), DISPATCHED)
    second = store.insert(command("second", after_s=10))

    assert not send(store, second)
    assert store.get("second") == second
    assert len(store.changes("second")) == 1


def test_one_under_way_holds_up_no_other_tag(store: CommandStore, walk: Step):
    walk(command("first"), DISPATCHED)

    assert send(store, store.insert(command("second", tag="valve")))


@pytest.mark.parametrize("end", [ACKNOWLEDGED, REJECTED, EXPIRED, UNKNOWN])
def test_what_is_answered_holds_up_nothing(store: CommandStore, walk: Step, end: CommandState):
    walk(command("first"), DISPATCHED, end)

    assert store.sent(f"{UNIT}/speed_setpoint", NOW).under_way is None
    assert send(store, store.insert(command("second")))


@pytest.mark.parametrize("state", [AWAITING, REJECTED, EXPIRED])
def test_what_was_not_sent_holds_up_nothing(store: CommandStore, walk: Step, state: CommandState):
    walk(command("first"), state)

    assert store.sent(f"{UNIT}/speed_setpoint", NOW).under_way is None
    assert send(store, store.insert(command("second")))


def test_of_many_commands_to_a_tag_that_two_orchestrators_send_one_is_sent(
    database_url: str, store: CommandStore
):
    asked = [store.insert(command(f"c{number}")) for number in range(16)]
    other = Database(database_url, METADATA, WHAT)
    other.open()
    stores = [store, CommandStore(other)] * 8

    with ThreadPoolExecutor(8) as threads:
        tries = list(threads.map(send, stores, asked))
    other.close()

    assert sum(tries) == 1
    assert store.tally() == {DISPATCHED: 1, REQUESTED: 15}


def test_one_that_was_checked_before_another_was_sent_is_not_sent(store: CommandStore, walk: Step):
    walk(command("before", after_s=-60), DISPATCHED, ACKNOWLEDGED, VERIFIED)
    known = store.sent(f"{UNIT}/speed_setpoint", NOW)
    assert known.last_at
    checked = store.insert(command("checked"))
    walk(command("faster"), DISPATCHED, ACKNOWLEDGED, VERIFIED)
    sent = to(checked, DISPATCHED, sent_at=NOW, changed_at=NOW)

    assert not store.change(checked, sent, "system", known=known)
    assert not store.change(checked, sent, "system", known=Sent(None, None))
    assert store.get("checked") == checked
    assert store.change(checked, sent, "system", known=store.sent(checked.tag, NOW))


def test_what_was_sent_to_another_tag_meanwhile_holds_up_nothing(store: CommandStore, walk: Step):
    known = store.sent(f"{UNIT}/speed_setpoint", NOW)
    checked = store.insert(command("checked"))
    walk(command("other", tag="valve"), DISPATCHED, ACKNOWLEDGED, VERIFIED)

    assert store.change(
        checked, to(checked, DISPATCHED, sent_at=NOW, changed_at=NOW), "system", known=known
    )


def test_what_is_under_way_is_named(store: CommandStore, walk: Step):
    sent = walk(command("first"), DISPATCHED)
    assert store.sent(f"{UNIT}/valve", NOW).under_way is None

    found = store.sent(sent.tag, NOW).under_way

    assert found == UnderWay("first", NOW + timedelta(seconds=1), sent)


def test_one_under_way_that_cannot_be_read_holds_up_its_tag_for_a_day(
    store: CommandStore, database: Database, walk: Step
):
    tag = walk(command("first"), DISPATCHED).tag
    spoil(database, "first")
    found = store.sent(tag, NOW).under_way

    assert found
    assert (found.id, found.command) == ("first", None)
    assert not send(store, store.insert(command("second")))
    assert store.sent(tag, NOW + timedelta(hours=26)).under_way is None


def test_an_unknown_command_is_unsettled_until_a_later_one_is_verified(
    store: CommandStore, walk: Step
):
    walk(command("before", after_s=-60), DISPATCHED, ACKNOWLEDGED, VERIFIED)
    walk(command("u1"), DISPATCHED, UNKNOWN)
    walk(command("u2", tag="valve"), DISPATCHED, UNKNOWN)
    assert {each.id for each in store.unsettled(UNIT)} == {"u1", "u2"}

    walk(command("after", after_s=60), DISPATCHED, ACKNOWLEDGED, VERIFIED)

    assert {each.id for each in store.unsettled(UNIT)} == {"u2"}


def test_after_a_restart_everything_is_there(database: Database, store: CommandStore, walk: Step):
    kept = walk(command("c1"), DISPATCHED)

    database.close()
    database.open()

    assert store.get("c1") == kept
    assert len(store.changes("c1")) == 2


def test_a_store_that_is_closed_says_so(database: Database, store: CommandStore):
    database.close()

    with pytest.raises(StoreError, match="is not open"):
        store.insert(command())


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises((StoreError, OSError)):
        Database(sqlite_url(tmp_path / "file"), METADATA, WHAT).open()


def test_sqlite_keeps_each_change_through_a_power_cut(tmp_path: Path):
    made = Database(sqlite_url(tmp_path), METADATA, WHAT)
    made.open()
    with made.read() as connection:
        mode = connection.execute(sa.text("PRAGMA journal_mode")).scalar()
        synchronous = connection.execute(sa.text("PRAGMA synchronous")).scalar()
    made.close()

    assert (mode, synchronous) == ("wal", 2)


def spoil(database: Database, name: str) -> None:
    with database.begin() as connection:
        words = sa.text("UPDATE commands SET body = :body WHERE id = :id")
        assert connection.execute(words, {"body": b'{"id": 5', "id": name}).rowcount == 1


def test_a_command_that_cannot_be_read_hides_no_other(store: CommandStore, database: Database):
    for name in ("one", "two"):
        store.insert(command(name))
    spoil(database, "one")
    assert [each.id for each in store.find()] == ["two"]
    assert [each.id for each in store.open(NOW)] == ["two"]
    assert store.tally()[REQUESTED] == 2
    with pytest.raises(ConflictError, match='"one" cannot be read by Millwright'):
        store.get("one")


def test_an_open_command_that_cannot_be_read_is_told_with_its_tag(
    store: CommandStore, database: Database
):
    store.insert(command("one"))
    spoil(database, "one")
    store.open(NOW)
    with pytest.raises(StoreError, match=r"It is requested, for .*/speed_setpoint") as told:
        store.check()
    assert "Look at the unit itself" in told.value.hint


def test_a_state_of_a_later_version_is_not_counted(store: CommandStore, database: Database):
    store.insert(command("c1"))
    store.insert(command("c2"))
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE commands SET state = 'later' WHERE id = 'c2'"))

    assert store.tally() == {REQUESTED: 1}


def test_the_same_id_as_one_that_cannot_be_read_is_no_second_command(
    store: CommandStore, database: Database
):
    store.insert(command("one"))
    spoil(database, "one")
    with pytest.raises(ConflictError, match="cannot be read"):
        store.insert(command("one"))
    assert store.tally() == {REQUESTED: 1}
