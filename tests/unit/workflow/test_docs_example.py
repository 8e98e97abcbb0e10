"""The workflow that docs/workflows.md shows is one."""

import re
from pathlib import Path

from app.core.workflow import ACTION_FIELDS, ActionKind
from app.workflow.definition import read_definition

PAGE = (Path(__file__).parents[3] / "docs" / "workflows.md").read_text(encoding="utf-8")


def test_the_example_has_no_problem() -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert [read_definition(each).problems for each in examples] == [()]


def test_every_action_and_field_is_described() -> None:
    table = PAGE.partition("| `do` |")[2].partition("\n\n")[0].splitlines()[2:]
    rows = {row.split("|")[1].strip(" `"): row for row in table}
    assert set(rows) == {str(kind) for kind in ActionKind}
    missing = [
        f"{kind}.{name}"
        for kind, fields in ACTION_FIELDS.items()
        for name in fields
        if f"`{name}`" not in rows[str(kind)]
    ]
    assert missing == []
