"""A unit's declaration on the bus does not change its write rules; an engineer's word does."""

import tomllib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from msgspec.structs import replace

from app.api.mount import api
from app.core.actor import Actor, Role
from app.core.alarm import Priority
from app.core.equipment import Equipment, Tag
from app.core.errors import ConflictError, InputError, NotFoundError, RoleError
from app.core.topics import equipment_topic
from app.core.write_rule import CommandSource, Confirm, WriteRule
from app.plant import Plant
from app.settings import PeopleSettings
from app.settings_people import how_to_name
from tests.processes import eventually
from tests.simulated_plant import plant_at

EVE = Actor("eve", "ui", Role.ENGINEER)
CHIEF = Actor("carl", "ui", Role.SUPERVISOR)
UNIT, OTHER = "site/area/line/pump", "site/area/line/fan"
SPEED = f"{UNIT}/speed"
STRICT = WriteRule(confirm=Confirm.TWO_PERSONS)
LOOSE = WriteRule(sources=(CommandSource.MQTT,), confirm=Confirm.NONE)
WHY = "the vendor's update of May"


def unit(rule: WriteRule | None = STRICT, path: str = UNIT) -> Equipment:
    return Equipment(path, "Pump", tags=(Tag(f"{path}/speed", write=rule), Tag(f"{path}/flow")))


def running(
    data: Path, broker_url: str, roles: Mapping[str, str] = MappingProxyType({"eve": "engineer"})
) -> AbstractAsyncContextManager[Plant]:
    return plant_at(data, broker_url, people={"roles": dict(roles)})


@pytest.fixture
async def plant(tmp_path: Path, broker_url: str) -> AsyncGenerator[Plant]:
    async with running(tmp_path, broker_url) as made:
        yield made


def rule(plant: Plant, tag: str = SPEED) -> WriteRule | None:
    return plant.tags.tag(tag).write


def version(plant: Plant, path: str = UNIT) -> str:
    return plant.write_rules.view(path).version


def standing(plant: Plant) -> list[tuple[str, str, Priority | None]]:
    active = [each.finding for each in plant.alarms.alarms() if each.active]
    return [(each.equipment, each.condition, each.priority) for each in active]


def actions(plant: Plant) -> set[tuple[str, str, str, str]]:
    rows = plant.audit_rows(50)
    return {(row.actor, row.source, row.action, row.outcome.value) for row in rows}


ALARM = (UNIT, "rule_changed", Priority.HIGH)


async def test_another_rule_heard_on_the_bus_is_held_and_an_alarm(plant: Plant):
    plant.intake.declare(unit())
    await plant.bus.publish_confirmed(equipment_topic(UNIT), unit(LOOSE))
    await eventually(lambda: standing(plant) == [ALARM])
    assert rule(plant) == STRICT
    (held,) = plant.write_rules.view(UNIT).held
    assert (held.counts.write, held.declared.write) == (STRICT, LOOSE)


async def test_what_was_heard_stands_in_the_audit_without_a_person(plant: Plant):
    plant.intake.declare(unit())
    plant.intake.declare(unit(LOOSE))
    heard = {
        ("system", "mqtt", "first write rules", "done"),
        ("system", "mqtt", "write rules held", "done"),
    }
    await eventually(lambda: actions(plant) == heard)


async def test_a_loop_of_declarations_is_two_lines_in_the_audit(plant: Plant):
    for _ in range(200):
        plant.intake.declare(unit())
        plant.intake.declare(unit(LOOSE))
    await eventually(lambda: len(plant.audit_rows(50)) == 3)
    for _ in range(200):
        plant.intake.declare(unit())
        plant.intake.declare(unit(LOOSE))
    await plant.write_rules.note()
    assert len(plant.audit_rows(50)) == 3


async def test_an_engineer_accepts_and_the_alarm_ends(plant: Plant):
    plant.intake.declare(unit())
    plant.intake.declare(unit(LOOSE))
    await eventually(lambda: standing(plant) == [ALARM])
    view = await plant.write_rules.accept(UNIT, version(plant), EVE, WHY)
    assert (rule(plant), view.held) == (LOOSE, ())
    await eventually(lambda: not standing(plant))
    assert ("eve", "ui", "accept write rules", "done") in actions(plant)


async def test_a_refused_rule_is_held_without_an_alarm_and_can_still_be_accepted(plant: Plant):
    plant.intake.declare(unit())
    plant.intake.declare(unit(LOOSE))
    await eventually(lambda: standing(plant) == [ALARM])
    await plant.write_rules.refuse(UNIT, version(plant), EVE, "not ours")
    plant.intake.declare(unit(LOOSE))
    await eventually(lambda: not standing(plant))
    assert (rule(plant), plant.write_rules.waiting()) == (STRICT, [])
    await plant.write_rules.accept(UNIT, version(plant), EVE, WHY)
    assert rule(plant) == LOOSE


@pytest.mark.parametrize(
    ("actor", "why", "error", "words"),
    [
        (CHIEF, WHY, RoleError, "engineer may"),
        (Actor("sensor", "mqtt"), WHY, RoleError, "engineer may"),
        (EVE, "", InputError, "why"),
        (EVE, "  ", InputError, "why"),
    ],
)
async def test_no_other_role_and_nobody_without_a_reason_decides(
    plant: Plant, actor: Actor, why: str, error: type[Exception], words: str
):
    plant.intake.declare(unit())
    plant.intake.declare(unit(LOOSE))
    with pytest.raises(error, match=words):
        await plant.write_rules.accept(UNIT, version(plant), actor, why)
    with pytest.raises(error, match=words):
        await plant.write_rules.refuse(UNIT, version(plant), actor, why)
    assert rule(plant) == STRICT


async def test_rules_that_changed_since_they_were_seen_are_not_accepted(plant: Plant):
    plant.intake.declare(unit())
    plant.intake.declare(unit(replace(STRICT, verify_s=20)))
    seen = version(plant)
    plant.intake.declare(unit(LOOSE))
    with pytest.raises(ConflictError, match="other rules by now"):
        await plant.write_rules.accept(UNIT, seen, EVE, WHY)
    assert rule(plant) == STRICT


async def test_nothing_held_is_nothing_to_accept(plant: Plant):
    plant.intake.declare(unit())
    with pytest.raises(ConflictError, match="declares no other rules"):
        await plant.write_rules.accept(UNIT, version(plant), EVE, WHY)
    with pytest.raises(NotFoundError, match="no unit"):
        await plant.write_rules.accept("a/b/c/d", "", EVE, WHY)


async def test_a_restart_neither_forgets_the_rule_nor_what_is_held(tmp_path: Path, broker_url: str):
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit())
        plant.intake.declare(unit(LOOSE))
        await plant.intake.save_declared()
    async with running(tmp_path, broker_url) as plant:
        assert rule(plant) == STRICT
        plant.intake.declare(unit(LOOSE))  # retained, heard again
        assert rule(plant) == STRICT
        await eventually(lambda: standing(plant) == [ALARM])


async def test_a_tag_taken_away_before_a_restart_gets_no_new_first_rule(
    tmp_path: Path, broker_url: str
):
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit())
        plant.intake.declare(Equipment(UNIT, "Pump"))
        await plant.intake.save_declared()
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit(LOOSE))
        assert rule(plant) is None


@pytest.mark.parametrize(("decision", "counts"), [("accept", LOOSE), ("refuse", STRICT)])
async def test_a_decision_survives_a_restart(
    tmp_path: Path, broker_url: str, decision: str, counts: WriteRule
):
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit())
        plant.intake.declare(unit(LOOSE))
        await getattr(plant.write_rules, decision)(UNIT, version(plant), EVE, WHY)
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit(LOOSE))
        assert (rule(plant), plant.write_rules.waiting()) == (counts, [])


async def test_rules_stored_by_a_version_that_kept_no_note_of_them_count(
    tmp_path: Path, broker_url: str
):
    async with running(tmp_path, broker_url) as plant:
        plant.assets.save(unit())
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit(LOOSE))
        assert rule(plant) == STRICT


async def test_until_the_store_is_read_no_first_rule_counts(tmp_path: Path, broker_url: str):
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit())
        await plant.intake.save_declared()
    file = tmp_path / "assets.sqlite"
    file.rename(file.with_suffix(".away"))
    file.mkdir()
    async with running(tmp_path, broker_url) as plant:
        plant.intake.declare(unit(LOOSE))
        plant.intake.declare(unit(LOOSE, OTHER))
        assert (rule(plant), rule(plant, f"{OTHER}/speed")) == (None, None)
        file.rmdir()
        file.with_suffix(".away").rename(file)
        plant.assets.open()
        plant.intake.restore(plant.assets.load(), plant.assets.load_rules())
        assert (rule(plant), rule(plant, f"{OTHER}/speed")) == (STRICT, LOOSE)


async def test_over_http_rules_are_shown_side_by_side_and_accepted_at_once(plant: Plant):
    for path in (UNIT, OTHER):
        plant.intake.declare(unit(path=path))
        plant.intake.declare(unit(LOOSE, path))
    transport = httpx.ASGITransport(api(plant))
    async with httpx.AsyncClient(transport=transport, base_url="http://plant") as client:
        one = f"/api/equipment/{UNIT}/write-rules"
        shown = (await client.get(one)).json()
        assert shown["in_force"][SPEED]["write"] == {"confirm": "two_persons"}
        assert shown["held"][0]["declared"]["write"]["confirm"] == "none"
        body = {"version": shown["version"], "why": WHY}
        assert (await client.post(f"{one}/accept", json=body)).status_code == 403
        assert (await client.post(f"{one}/accept", json={**body, "why": ""})).status_code == 422
        eve = {"X-Actor": "eve"}
        refused = await client.post(f"{one}/refuse", json=body, headers=eve)
        assert (refused.status_code, rule(plant)) == (200, STRICT)
        waiting = (await client.get("/api/equipment/write-rules")).json()
        assert [each["unit"] for each in waiting] == [OTHER]
        versions = {UNIT: version(plant), OTHER: version(plant, OTHER)}
        everything = {"versions": versions, "why": WHY}
        answer = await client.post(
            "/api/equipment/write-rules/accept", json=everything, headers=eve
        )
        assert [each["held"] for each in answer.json()] == [[], []]
        assert (rule(plant), rule(plant, f"{OTHER}/speed")) == (LOOSE, LOOSE)
        assert (await client.get("/api/equipment/a/b/c/d/write-rules")).status_code == 404


def told(plant: Plant) -> list[str]:
    """Return what Health says of write rules."""
    return [f"{each.reason}; {each.remedy}" for each in plant.health() if "rules" in each.name]


@pytest.mark.parametrize("roles", [{}, {"carl": "supervisor"}])
async def test_where_nobody_is_engineer_health_and_refusal_say_so_and_how_to_name_one(
    tmp_path: Path, broker_url: str, roles: dict[str, str]
):
    async with running(tmp_path, broker_url, roles) as plant:
        plant.intake.declare(unit())
        assert told(plant) == []
        plant.intake.declare(unit(LOOSE))
        (words,) = told(plant)
        with pytest.raises(RoleError, match="nobody is named engineer") as refused:
            await plant.write_rules.accept(UNIT, version(plant), CHIEF, WHY)

    assert words.startswith("1 unit waits for an engineer to accept write rules")
    for hint in (words, refused.value.hint):
        assert 'roles = { "your name" = "engineer" } under [people] in settings.toml' in hint


async def test_where_somebody_is_engineer_health_is_silent_and_a_refusal_names_who(plant: Plant):
    plant.intake.declare(unit())
    plant.intake.declare(unit(LOOSE))
    with pytest.raises(RoleError, match=r"engineer may$") as refused:
        await plant.write_rules.accept(UNIT, version(plant), CHIEF, WHY)

    assert told(plant) == []
    assert refused.value.hint == "[people] in settings.toml names as engineer: eve"


def test_the_words_of_the_remedy_are_settings_that_are_read():
    said = 'roles = { "your name" = "engineer" }'
    assert said in how_to_name(Role.ENGINEER)
    people = PeopleSettings.model_validate(tomllib.loads(said))
    assert people.role("Your Name") is Role.ENGINEER
