"""The live path on the real app: server load, payload, time to the screen, cost of a page.

The demo plant runs behind it (227 tags at 1 Hz, three agents), so the figures are those of the
product, not of a test bed. The share of the server that browsers cost is the difference to the
same seconds without browsers.
"""

import asyncio
import json
import statistics
import time
import urllib.request
from collections.abc import Sequence

import psutil
from playwright.async_api import Browser

from app.bench import live_browser
from app.bench.app_process import AppProcess, app_process
from app.bench.live_load import STAMP, Received, Source, demo_tags, spread, tag_paths, watch

TABS, TAGS, CHARTS = 30, 200, 8
MANY_TABS, MANY_TAGS = 50, 1_000
PAGES = ("/", "/units/riverside/utilities/cooling/pump-101")
PAGE_READS = 30
ALARMS = 20
SETTLE_S = 5.0


async def bench_live(seconds: float = 20.0) -> dict[str, object]:
    """Measure the budgets of the live path, each over `seconds`; takes about ten times that.

    Returns:
        CPU in percent of one core; payload in bytes a second a tab; latencies in ms.
    """
    with app_process() as running:
        await asyncio.sleep(SETTLE_S)
        async with live_browser.chromium() as browser:
            first_s = await live_browser.first_value_s(browser, running.url)
            pages = {path: await _page_cost(running, path) for path in PAGES}
            budget = await _budget(running, browser, seconds)
        many = await _many(running, seconds)
    return {
        "seconds": seconds,
        "load_average": psutil.getloadavg()[0],
        "first_value_cold_s": round(first_s, 2),
        "pages": pages,
        "budget": budget,
        "many": many,
    }


async def _budget(running: AppProcess, browser: Browser, seconds: float) -> dict[str, object]:
    """Run 200 tags and 8 charts in one Chromium beside 29 tabs without a screen."""
    with Source(running.broker_port, []):
        await asyncio.sleep(SETTLE_S)
        tags = [STAMP, *demo_tags(running.url, TAGS - 1)]
        quiet = await _cpu(running, seconds)
        page = await live_browser.open_load_page(browser, running.url, tags, CHARTS)
        cpu, received, share = await _with_tabs(running, tags, TABS - 1, seconds, has_browser=True)
        await _raise_alarms(running.url)
        dom = await live_browser.latencies(page, "stampLatencies")
        alarms = await live_browser.latencies(page, "alarmLatencies")
        await page.close()
    return {
        "tabs": TABS,
        "tags": TAGS,
        **_load(cpu, quiet, received, seconds),
        "charts": CHARTS,
        "source_to_dom_ms": spread(dom),
        "alarm_to_dom_ms": spread(alarms),
        "browser_main_thread_percent": round(100 * share, 1),
    }


async def _many(running: AppProcess, seconds: float) -> dict[str, object]:
    """Run 1,000 further tags at 1 Hz, looked at by 50 tabs without a screen."""
    tags = tag_paths(MANY_TAGS)
    with Source(running.broker_port, tags):
        await asyncio.sleep(SETTLE_S)
        quiet = await _cpu(running, seconds)
        cpu, received, _ = await _with_tabs(running, [STAMP, *tags], MANY_TABS, seconds)
    load = _load(cpu, quiet, received, seconds)
    return {"tabs": MANY_TABS, "tags": MANY_TAGS, **load}


async def _with_tabs(
    running: AppProcess,
    tags: Sequence[str],
    tabs: int,
    seconds: float,
    *,
    has_browser: bool = False,
) -> tuple[float, list[Received], float]:
    ready = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        watching = [
            group.create_task(watch(running.url, tags, ready, seconds)) for _ in range(tabs)
        ]
        await asyncio.sleep(SETTLE_S)
        ready.set()
        measuring = group.create_task(_cpu(running, seconds))
        share = await live_browser.main_thread_share(seconds) if has_browser else 0.0
    return measuring.result(), [each.result() for each in watching], share


def _load(
    cpu: float, quiet: float, received: Sequence[Received], seconds: float
) -> dict[str, object]:
    return {
        "server_cpu_percent": round(cpu, 2),
        "server_cpu_percent_without_tabs": round(quiet, 2),
        "server_cpu_percent_for_tabs": round(cpu - quiet, 2),
        "payload_bytes_per_s_a_tab": round(
            statistics.mean(each.payload_bytes for each in received) / seconds
        ),
        "messages_per_s_a_tab": round(
            statistics.mean(each.messages for each in received) / seconds, 2
        ),
        "source_to_socket_ms": spread([ms for each in received for ms in each.latencies_ms]),
    }


async def _cpu(running: AppProcess, seconds: float) -> float:
    before, began = _cpu_s(running.process), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (_cpu_s(running.process) - before) / (time.monotonic() - began)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _page_cost(running: AppProcess, path: str) -> dict[str, float]:
    """Read a page again and again; what the app uses anyway is taken off."""
    size = await asyncio.to_thread(_read, running.url + path)
    idle = await _cpu(running, 5.0) / 100
    rss, cpu, began = running.process.memory_info().rss, _cpu_s(running.process), time.monotonic()
    for _ in range(PAGE_READS):
        await asyncio.to_thread(_read, running.url + path)
    used_s = _cpu_s(running.process) - cpu - idle * (time.monotonic() - began)
    grown = running.process.memory_info().rss - rss
    return {
        "cpu_ms": round(1000 * used_s / PAGE_READS, 1),
        "memory_mb_a_client": round(grown / PAGE_READS / 1e6, 3),
        "html_kb": round(size / 1e3, 1),
    }


def _read(url: str) -> int:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310  loopback http only
        return len(answer.read())


async def _raise_alarms(url: str) -> None:
    for number in range(ALARMS):
        await asyncio.to_thread(_raise_alarm, url, number)
        await asyncio.sleep(0.4)


def _raise_alarm(url: str, number: int) -> None:
    at = int(time.time() * 1000)
    body = {
        "level": "critical",
        "type": f"bench-{number}",
        "source": "bench",
        "details": f"raised at {at}",
    }
    request = urllib.request.Request(  # noqa: S310  loopback http only
        f"{url}/api/orchestrator/alert",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=20):  # noqa: S310
        pass
