"""Who listens to the alarms may fail; the alarms go on and the log does not fill."""

import logging

import pytest

from app.alarms.outlet import Outlet


class Listener:
    """Fails at the news that are below zero."""

    def __init__(self) -> None:
        self.heard: list[int] = []

    def __call__(self, news: int) -> None:
        if news < 0:
            raise ZeroDivisionError(str(news))
        self.heard.append(news)


def test_a_listener_that_fails_is_told_again_and_logged_once_a_row(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    listener = Listener()
    outlet = Outlet(listener)
    for news in (1, -1, -2, 2, -3, 3):
        outlet.tell(news)
    assert (listener.heard, outlet.failed) == ([1, 2, 3], 3)
    traced = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert traced == ["-1", "-3"]
    assert "missed 2 news" in caplog.text
