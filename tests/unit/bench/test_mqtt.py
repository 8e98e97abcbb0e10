import pytest

from app.bench.mqtt import bench_mqtt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


async def test_bus_and_paho_are_compared_on_both_qualities_of_service():
    result = await bench_mqtt(seconds=0.0)

    for qos in ("qos0", "qos1"):
        figures = result[qos]
        assert isinstance(figures, dict)
        assert figures["ratio"] > 0  # how much is for an idle machine to say
        assert figures["pairs"] >= 3
