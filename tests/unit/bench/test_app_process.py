"""Ports for the apps that benchmarks start."""

from app.bench.app_process import free_port


def test_no_outgoing_connection_takes_the_port_before_the_app_binds_it() -> None:
    ports = {free_port() for _ in range(50)}

    assert max(ports) < 32_768  # where Linux begins to choose; others choose higher
    assert len(ports) > 40
