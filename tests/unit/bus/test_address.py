import pytest
from pydantic import SecretStr

from app.bus.address import broker_address
from app.core.agent import PARENT_VARIABLE
from app.settings import BrokerSettings


def test_without_a_url_it_is_the_embedded_broker():
    address = broker_address(BrokerSettings(port=1234))

    assert (str(address), address.setting) == ("127.0.0.1:1234", "broker.port")


@pytest.mark.parametrize(
    ("url", "host", "port", "user"),
    [
        ("mqtt://plant", "plant", 1883, ""),
        ("mqtt://plant:2883", "plant", 2883, ""),
        ("mqtt://ann@plant:2883", "plant", 2883, "ann"),
        ("mqtt://[::1]:2883", "::1", 2883, ""),
    ],
)
def test_a_url_names_host_port_and_user(url: str, host: str, port: int, user: str):
    address = broker_address(BrokerSettings(url=url))

    assert (address.host, address.port, address.user) == (host, port, user)


def test_the_password_is_not_shown():
    address = broker_address(BrokerSettings(url="mqtt://a@b", password=SecretStr("secret")))

    assert "secret" not in repr(address)


@pytest.mark.parametrize(("url", "setting"), [("mqtt://plant", "broker.url"), ("", "broker.port")])
def test_remedies_name_the_setting(url: str, setting: str):
    address = broker_address(BrokerSettings(url=url))

    assert setting in address.remedy_unreachable
    assert setting in address.remedy_refused


def test_only_a_broker_that_may_want_a_login_is_told_of_with_one():
    own, other = broker_address(BrokerSettings()), broker_address(BrokerSettings(url="mqtt://x"))

    assert "PASSWORD" not in own.remedy_refused
    assert "MILLWRIGHT_BROKER__PASSWORD" in other.remedy_refused
    assert "no other client has this one's id" in own.remedy_refused
    assert "no other client has this one's id" in other.remedy_refused


def test_an_ipv6_address_stands_in_brackets():
    assert str(broker_address(BrokerSettings(url="mqtt://[::1]:2883"))) == "[::1]:2883"


@pytest.fixture(autouse=True)
def _no_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)


def test_a_child_of_the_app_is_sent_to_the_broker_of_its_app(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PARENT_VARIABLE, "1")
    remedy = broker_address(BrokerSettings()).remedy_unreachable

    assert "Health page of the app" in remedy
    assert "Start the app" not in remedy


def test_a_child_of_the_app_on_another_broker_is_told_of_that_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(PARENT_VARIABLE, "1")
    remedy = broker_address(BrokerSettings(url="mqtt://plant")).remedy_unreachable

    assert remedy == "Start that broker or correct the setting broker.url"


@pytest.mark.parametrize(
    ("url", "start"), [("mqtt://plant", "Start that broker"), ("", "Start the app")]
)
def test_an_agent_alone_can_be_given_the_address_by_its_command(url: str, start: str):
    remedy = broker_address(BrokerSettings(url=url)).remedy_unreachable

    assert remedy.startswith(start)
    assert "--broker" in remedy


def test_the_app_that_runs_the_broker_is_not_told_to_start():
    remedy = broker_address(BrokerSettings(), in_app=True).remedy_unreachable

    assert "component Broker" in remedy
    assert "Start" not in remedy


def test_the_app_on_another_broker_is_told_of_that_one():
    remedy = broker_address(BrokerSettings(url="mqtt://plant"), in_app=True).remedy_unreachable

    assert remedy == "Start that broker or correct the setting broker.url"
