"""Which broker there is, its configuration, and the meaning of its log lines."""

from pathlib import Path

import pytest

from app.bus.broker_engine import (
    Engine,
    EngineName,
    Sign,
    config_text,
    find_engine,
    read_line,
)
from app.settings import BrokerSettings

NATS = Engine(EngineName.NATS, Path("/bin/nats-server"))
MOSQUITTO = Engine(EngineName.MOSQUITTO, Path("/bin/mosquitto"))
SETTINGS = BrokerSettings(port=2883, ack_wait_s=7)


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_nats_server_is_taken_before_mosquitto(tmp_path: Path):
    program(tmp_path, "mosquitto")
    nats = program(tmp_path, "nats-server")
    assert find_engine("auto", [tmp_path]) == Engine(EngineName.NATS, nats)


def test_mosquitto_is_taken_where_there_is_no_nats_server(tmp_path: Path):
    mosquitto = program(tmp_path, "mosquitto")
    assert find_engine("auto", [tmp_path]) == Engine(EngineName.MOSQUITTO, mosquitto)


def test_no_program_is_no_engine(tmp_path: Path):
    assert find_engine("auto", [tmp_path]) is None


def test_a_chosen_engine_is_not_replaced_by_another(tmp_path: Path):
    program(tmp_path, "mosquitto")
    assert find_engine("nats", [tmp_path]) is None


def test_nats_server_comes_with_the_installation():
    engine = find_engine("nats")
    assert engine is not None
    assert engine.program.is_file()


@pytest.mark.parametrize("engine", [NATS, MOSQUITTO])
def test_no_address_but_loopback_is_bound(engine: Engine):
    text = config_text(engine, SETTINGS, Path("/data/broker"))
    listeners = [line for line in text.splitlines() if "listen" in line]
    assert listeners
    assert all("127.0.0.1" in line for line in listeners)
    assert "0.0.0.0" not in text
    assert "http" not in text


@pytest.mark.parametrize("engine", [NATS, MOSQUITTO])
def test_the_configured_port_is_used(engine: Engine):
    assert "2883" in config_text(engine, SETTINGS, Path("/data/broker"))


def test_unacknowledged_messages_come_again_after_the_configured_time():
    assert 'ack_wait: "7s"' in config_text(NATS, SETTINGS, Path("/data/broker"))


def test_a_folder_with_quotes_stays_one_value():
    text = config_text(NATS, SETTINGS, Path('/data/the "old" one'))
    assert r'store_dir: "/data/the \"old\" one"' in text


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("[12] [INF] Server is ready", Sign.NOTHING),
        ("[12] [INF] Restored 3 messages for stream 'corrupt'", Sign.NOTHING),
        ("[12] [WRN] Maximum payload is large", Sign.WARNING),
        ("[12] [ERR] 127.0.0.1:3 - mid:2 - read error", Sign.ERROR),
        ('[12] [WRN]   Stream metafile "m": checksums do not match "a" vs "b"', Sign.DAMAGED),
        ("[12] [WRN] Error adding consumer: corrupt state file (10104)", Sign.DAMAGED),
        ('[12] [WRN] Error unmarshalling consumer metafile "x": invalid', Sign.DAMAGED),
        ('[12] [ERR] unable to connect: unsupported consumer "c" (10194)', Sign.DAMAGED),
        (
            "[12] [FTL] Can't start JetStream: storage directory is not a directory",
            Sign.DAMAGED,
        ),
        ("[12] [WRN] consumer 'c' delivered sequence 9 past last stream sequence", Sign.LOSS),
        (
            "[12] [ERR] JetStream stream '$G > $MQTT_msgs' critical write error: write 1.blk: "
            "no space left on device",
            Sign.FULL,
        ),
        (
            "[12] [ERR] JetStream failed to store a msg on stream 's': maximum bytes exceeded",
            Sign.ERROR,
        ),
        ("[12] [FTL] listen tcp 127.0.0.1:1: bind: address already in use", Sign.PORT_BUSY),
        ("Error: Couldn't open database.", Sign.DAMAGED),
        ("Error: Unable to restore persistent database. Unrecognised file", Sign.DAMAGED),
        ("Error: Address already in use", Sign.PORT_BUSY),
        ("Warning: Persistence file is empty.", Sign.LOSS),
        ("Warning: Mosquitto should not be run as root/administrator.", Sign.WARNING),
        ("mosquitto version 2.0.11 running", Sign.NOTHING),
        ("", Sign.NOTHING),
    ],
)
def test_log_lines_are_understood(line: str, sign: Sign):
    assert read_line(line)[0] is sign


def test_the_process_id_is_not_shown():
    assert read_line("[4711] [INF] Server is ready")[1] == "Server is ready"
