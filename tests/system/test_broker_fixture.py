"""The broker that tests share."""

from urllib.parse import urlsplit

import pytest

from app.bus.probe import Answer, probe

pytestmark = pytest.mark.slow


async def test_the_shared_broker_answers(broker_url: str):
    port = urlsplit(broker_url).port or 0
    assert await probe("127.0.0.1", port, 5) is Answer.READY
