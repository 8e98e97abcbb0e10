"""A real Chromium that looks at the pages and measures what an operator would wait for."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress

import psutil
from playwright.async_api import Browser, Page, async_playwright

from app.bench.live_load import STAMP, STAMP_MODULUS

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
VALUES_MS = 20_000

# notes when a stamp is on screen: after layout, in the frame that shows it
_WATCH_STAMP = """([path, modulus]) => {
  window.stampLatencies = [];
  const number = document.querySelector(`mw-value[path='${path}'] .mw-num`);
  new MutationObserver(() => {
    const stamp = Number(number.textContent.replace(/\\u2009/g, ""));
    const latency = ((Date.now() % modulus) - stamp + modulus) % modulus;
    if (Number.isFinite(latency)) window.stampLatencies.push(Math.round(latency));
  }).observe(number, { childList: true, characterData: true, subtree: true });
}"""
_WATCH_ALARM = """() => {
  window.alarmLatencies = [];
  const box = document.getElementById("mw-worst");
  new MutationObserver(() => {
    const found = /raised at (\\d+)/.exec(box.textContent);
    if (!found || window.lastAlarm === found[1]) return;
    window.lastAlarm = found[1];
    window.alarmLatencies.push(Date.now() - Number(found[1]));
  }).observe(box, { childList: true, characterData: true, subtree: true });
}"""
# the page of the budget: 200 values and 8 charts, all on screen
_LAY_OUT = """([tags, charts]) => {
  const value = (path) => `<mw-value path="${path}" label="${path.split("/").pop()}"></mw-value>`;
  const chart = (path) => `<mw-trend plain paths='["${path}"]' height="110"></mw-trend>`;
  document.querySelector(".mw-main").innerHTML =
    `<div style="display:grid;grid-template-columns:repeat(10,1fr)">${tags.map(value).join("")}` +
    `</div><div style="display:grid;grid-template-columns:repeat(4,1fr)">` +
    charts.map(chart).join("") + "</div>";
}"""


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Run Chromium with a fresh profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


async def first_value_s(browser: Browser, url: str) -> float:
    """Return the time from asking for the overview with an empty cache to its first live value."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    began = time.monotonic()
    await page.goto(url)
    await page.wait_for_function(
        "() => document.querySelector('mw-bar[data-q=g] .mw-num')", timeout=VALUES_MS
    )
    seconds = time.monotonic() - began
    await context.close()
    return seconds


async def open_load_page(browser: Browser, url: str, tags: Sequence[str], charts: int) -> Page:
    """Show all `tags` as values and the first `charts` of them as charts too."""
    page = await browser.new_page(viewport={"width": 1920, "height": 1080})
    await page.goto(url)
    await page.wait_for_selector("mw-bar[data-q=g]", timeout=VALUES_MS)
    await page.evaluate(_LAY_OUT, [list(tags), list(tags[:charts])])
    selector = f"mw-value[path='{STAMP}'][data-q=g]"
    await page.wait_for_selector(selector, timeout=VALUES_MS)
    await page.evaluate(_WATCH_STAMP, [STAMP, STAMP_MODULUS])
    await page.evaluate(_WATCH_ALARM)
    return page


async def main_thread_share(seconds: float) -> float:
    """Return the share of a core that the busiest page's main thread uses, by its CPU time.

    Chromium's own `TaskDuration` is wall time, which counts what other programs take meanwhile.
    """
    before, began = _main_threads(), time.monotonic()
    await asyncio.sleep(seconds)
    after, passed_s = _main_threads(), time.monotonic() - began
    return max((after[pid] - before.get(pid, 0.0) for pid in after), default=0.0) / passed_s


def _main_threads() -> dict[int, float]:
    """Return the CPU seconds of the main thread of each of our renderer processes."""
    used: dict[int, float] = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "--type=renderer" in process.cmdline():
                main = next(thread for thread in process.threads() if thread.id == process.pid)
                used[process.pid] = float(main.user_time + main.system_time)
    return used


async def latencies(page: Page, name: str) -> list[int]:
    """Return what the page noted, ms."""
    noted: list[int] = json.loads(await page.evaluate(f"JSON.stringify(window.{name})"))
    return noted
