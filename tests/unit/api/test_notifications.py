"""Routes and deliveries over HTTP, as the real notifier tells them."""

import httpx
import pytest

from agents.notifier.agent import NotifierAgent
from app.api.mount import api
from app.core.actor import Actor
from app.core.delivery import DeliveryState
from app.core.errors import FieldsError
from app.settings import Settings
from app.settings_notify import NotifySettings
from tests.agents_at_work import plant_with

PATH = "/api/notifications"
NIGHT = Actor("night", "ui")

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def with_routes(settings: Settings, *routes: dict[str, object]) -> Settings:
    notify = NotifySettings.model_validate({"routes": routes})
    return settings.model_copy(update={"notify": notify})


async def told(settings: Settings, *tests: str) -> tuple[int, dict[str, object], str]:
    """Send tests by routes; return status, body and text of the answer."""
    async with plant_with(settings, NotifierAgent) as plant:
        for route in tests:
            await plant.upkeep.send_test(route, NIGHT)
        transport = httpx.ASGITransport(api(plant), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get(PATH)
        return answer.status_code, answer.json(), answer.text


async def test_without_a_route_both_lists_are_empty(connected_settings: Settings):
    assert await told(connected_settings) == (
        200,
        {"routes": [], "problems": [], "deliveries": []},
        '{"routes":[],"problems":[],"deliveries":[]}',
    )


async def test_a_secret_of_the_environment_is_never_told(
    connected_settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SHIFT_URL", "json://user:hunter2@127.0.0.1:9/shift")
    route: dict[str, object] = {"name": "shift", "url_env": "SHIFT_URL", "attempts": 1}

    status, body, text = await told(with_routes(connected_settings, route), "shift")

    assert status == 200
    assert "hunter2" not in text
    assert [each["service"] for each in body["routes"]] == ["json"]  # type: ignore[attr-defined]


async def test_a_test_by_an_unknown_route_is_refused_and_stands_in_the_log(
    connected_settings: Settings,
):
    async with plant_with(connected_settings, NotifierAgent) as plant:
        with pytest.raises(FieldsError, match='no usable route "pager"'):
            await plant.upkeep.send_test("pager", NIGHT)
        (delivery,) = await plant.upkeep.deliveries()

    assert delivery.state is DeliveryState.FAILED
    assert 'no usable route "pager"' in delivery.reason


@pytest.mark.parametrize("limit", [0, 501])
async def test_a_wrong_limit_is_refused(client: httpx.AsyncClient, limit: int):
    assert (await client.get(PATH, params={"limit": limit})).status_code == 422


async def test_without_the_notifier_it_says_what_to_do(client: httpx.AsyncClient):
    answer = await client.get(PATH)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert answer.json() == {
        "error": "agent",
        "message": 'Agent "notifier" is not heard',
        "hint": "Start it on the Agents page",
    }
