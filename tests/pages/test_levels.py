"""The overview, area and unit pages as the server sends them."""

import asyncio
import html
from datetime import UTC, datetime

import msgspec
import pytest
from nicegui.testing import User

from app.clock import SystemClock
from app.core.alarm import Finding, Priority
from app.core.equipment import Equipment, EquipmentKind, Limits, Tag, TagKind
from app.plant import Plant
from app.settings import BrokerSettings, Settings, SiteSettings
from pages import area, not_found, overview, unit

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
UNIT = "riverside/utilities/cooling/pump-101"
PUMP = Equipment(
    UNIT,
    "Cooling pump <P-101>",
    EquipmentKind.MOTOR_PUMP,
    (
        Tag(f"{UNIT}/speed", "Shaft speed", "1/min"),
        Tag(f"{UNIT}/winding_temperature", "Winding", "Cel", limits=Limits(high=120)),
        Tag(f"{UNIT}/flow", "Flow", "m3/h"),
        Tag(f"{UNIT}/running", "Pump running", kind=TagKind.BINARY, states={1: "running"}),
    ),
    {"rated_power_kw": "7.5"},
)
METER = Equipment(
    "riverside/utilities/energy/meter",
    "Meter",
    EquipmentKind.ENERGY_METER,
    (Tag("riverside/utilities/energy/meter/power", "Power", "kW"),),
)
PLAN = "riverside/utilities/plan/schedule"
SCHEDULE = Equipment(
    PLAN,
    "Plan for utilities",
    EquipmentKind.SCHEDULE,
    (
        Tag(f"{PLAN}/energy", "Energy", "kW.h", plan="energy_plan", target="energy_target"),
        Tag(f"{PLAN}/energy_plan", "Planned by now", "kW.h"),
        Tag(f"{PLAN}/energy_target", "Planned", "kW.h"),
    ),
)


@pytest.fixture
def plant(settings: Settings, user: User) -> Plant:
    plant = Plant(
        settings.model_copy(update={"site": SiteSettings(name="Hill & Dale")}), SystemClock()
    )
    for page in (overview, area, unit, not_found):
        page.create(plant)
    return plant


async def sent(user: User, path: str, status: int = 200) -> str:
    """Return the page's own HTML, out of NiceGUI's JSON in the page."""
    answer = await user.http_client.get(path)
    assert answer.status_code == status
    built = answer.text.partition("String.raw")[2]  # what stands before is the plain copy
    return html.unescape(built).replace('\\"', '"')


async def test_an_empty_plant_says_how_to_get_data(plant: Plant, user: User):
    text = await sent(user, "/")
    assert "No unit has sent a value yet" in text
    assert "millwright publish" in text
    assert f"mqtt://127.0.0.1:{plant.settings.broker.port}" in text


async def test_an_empty_plant_with_an_outside_broker_offers_the_demo(
    settings: Settings, user: User
):
    outside = settings.model_copy(update={"broker": BrokerSettings(url="mqtt://mill:1883")})
    overview.create(Plant(outside, SystemClock()))
    text = await sent(user, "/")
    assert "millwright run --demo" in text
    assert "mqtt://mill:1883" in text


async def test_the_overview_shows_an_area_with_its_units_and_power(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    plant.tags.declare(METER)
    text = await sent(user, "/")
    assert 'href="/areas/riverside/utilities"' in text
    assert f'href="/units/{UNIT}"' in text
    assert f'path="{UNIT}/flow"' in text
    assert 'path="riverside/utilities/energy/meter/power"' in text


async def test_the_area_puts_what_matters_first(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    text = await sent(user, "/areas/riverside/utilities")
    order = [text.index(f'path="{UNIT}/{name}"') for name in ("flow", "winding", "speed")
             if f'path="{UNIT}/{name}"' in text]  # fmt: skip
    assert order == sorted(order)
    assert "motor pump" in text


async def test_names_from_outside_are_escaped(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    answer = await user.http_client.get(f"/units/{UNIT}")
    assert "<P-101>" not in answer.text
    assert "P-101" in answer.text


async def test_the_unit_shows_plate_trend_and_nameplate(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    text = await sent(user, f"/units/{UNIT}")
    assert "<mw-trend" in text
    assert 'label="Pump running"' in text
    assert "Rated power" in text
    assert "No agent finds anything wrong" in text


async def test_the_unit_tells_why(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    plant.findings.add(
        [
            Finding(
                "vibration",
                "bearing_outer_race",
                UNIT,
                NOW,
                Priority.HIGH,
                probability=0.87,
                message="Outer race damage",
                response="Plan a bearing change.",
                evidence={"envelope_kurtosis": 7.25, "nothing": 0.0},
            )
        ]
    )
    text = await sent(user, f"/units/{UNIT}")
    assert "87 % likely" in text
    assert "Plan a bearing change." in text
    assert "envelope_kurtosis" in text
    assert "7.25" in text


async def test_an_absent_condition_is_no_reason(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    plant.findings.add([Finding("vibration", "imbalance", UNIT, NOW, message="Balanced")])
    assert "Balanced" not in await sent(user, f"/units/{UNIT}")


@pytest.mark.parametrize(
    "path",
    [
        "/areas/riverside/moon",
        "/units/riverside/utilities/cooling/turbine",
        "/units/%3Cscript%3E/b/c/d",
        "/nowhere",
        "/units/only/two",
    ],
)
async def test_an_unknown_address_is_answered_404_in_the_frame(plant: Plant, user: User, path: str):
    text = await sent(user, path, status=404)
    assert "There is no" in text
    assert "Hill &amp; Dale" in text  # as HTML in the JSON
    assert "<script>/b" not in text
    assert "<script>/b" not in (await user.http_client.get(path)).text


async def test_an_alarm_of_something_that_is_no_unit_opens_in_the_list(plant: Plant, user: User):
    await asyncio.to_thread(plant.journal.open)
    await plant.alarms.start()
    external = "external/alerts/http/lab"
    await plant.alarms.handle([Finding("lab", "sample", external, NOW, Priority.LOW)])
    answer = await user.http_client.get(f"/units/{external}")
    (alarm,) = plant.alarms.alarms()
    assert answer.headers["location"] == f"/alarms#{alarm.id}"
    await plant.alarms.stop()
    await asyncio.to_thread(plant.journal.close)


async def test_the_overview_shows_what_was_done_against_the_plan(plant: Plant, user: User):
    plant.tags.declare(PUMP)
    plant.tags.declare(SCHEDULE)
    text = await sent(user, "/")
    assert f'path="{PLAN}/energy" plan="{PLAN}/energy_plan" target="{PLAN}/energy_target"' in text
    assert f'href="/units/{PLAN}"' not in text  # a plan is no machine of the area


async def test_an_area_of_very_many_units_stays_readable(plant: Plant, user: User):
    for number in range(300):
        path = f"riverside/hall/line/unit-{number:03}"
        plant.tags.declare(Equipment(path, f"Unit {number}", tags=(Tag(f"{path}/speed"),)))
    overview_text = await sent(user, "/")
    area_text = await sent(user, "/areas/riverside/hall")
    assert overview_text.count("<mw-bar") == overview.UNITS_SHOWN
    assert "288 more units" in overview_text
    assert area_text.count("<section") == area.UNITS_SHOWN
    assert "100 more units" in area_text


async def test_a_machine_with_a_plan_shows_it_as_a_plan_and_not_as_bars(plant: Plant, user: User):
    tags = (Tag(f"{UNIT}/flow", "Flow", "m3/h"), *_moved(SCHEDULE.tags, UNIT))
    plant.tags.declare(Equipment(UNIT, "Mixer", tags=tags))
    text = await sent(user, f"/units/{UNIT}")
    assert f'<mw-plan path="{UNIT}/energy"' in text
    assert f'<mw-bar path="{UNIT}/flow"' in text
    assert f'<mw-bar path="{UNIT}/energy' not in text


def _moved(tags: tuple[Tag, ...], unit: str) -> list[Tag]:
    return [msgspec.structs.replace(each, path=f"{unit}/{each.name}") for each in tags]
