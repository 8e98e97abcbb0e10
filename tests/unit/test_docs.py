"""The documents say what the code does: generated pages are current, nothing is left out."""

import re
from pathlib import Path

import pytest

from agents.runner import agent_names, find_agent
from app.api import reference
from app.cli.docs import FOLDER, PAGES, main, place_of
from app.settings import Settings

ROOT = FOLDER.parent
ROUTE = re.compile(r'@ui\.page\(\s*"([^"]+)"')
CAPABILITIES = sorted(
    {each for name in agent_names() for each in find_agent(name).spec.capabilities}
)


def page_routes() -> list[str]:
    texts = [file.read_text(encoding="utf-8") for file in sorted((ROOT / "pages").glob("*.py"))]
    return [route for text in texts for route in ROUTE.findall(text)]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_current(name: str) -> None:
    text = place_of(name).read_text(encoding="utf-8")
    assert text == PAGES[name](), f"{name} is out of date; run: millwright docs"


def test_the_http_page_is_current() -> None:
    text = reference.FILE.read_text(encoding="utf-8")
    remedy = "docs/http.md is out of date; run: python -m app.api.reference"
    assert text == reference.current_page(), remedy


def test_every_section_of_the_settings_is_documented() -> None:
    text = PAGES["settings.md"]()
    assert [name for name in Settings.model_fields if f"[{name}" not in text] == []


def test_the_pages_have_routes() -> None:
    assert "/trends" in page_routes()


@pytest.mark.parametrize("route", page_routes())
def test_a_page_stands_in_the_operators_guide(route: str) -> None:
    guide = (FOLDER / "operate.md").read_text(encoding="utf-8")
    first = route.partition("{")[0] or route
    assert f"`{first}" in guide, f"docs/operate.md does not tell of the page {route}"


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_a_capability_stands_in_the_operators_guide(capability: str) -> None:
    guide = (FOLDER / "operate.md").read_text(encoding="utf-8")
    assert f"`{capability}`" in guide, f"docs/operate.md does not tell of {capability}"


def test_a_page_that_is_out_of_date_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--to", str(tmp_path), "--check"]) == 1
    assert "settings.md, topics.md, settings.toml" in capsys.readouterr().err
    assert main(["--to", str(tmp_path)]) == 0
    assert main(["--to", str(tmp_path), "--check"]) == 0
