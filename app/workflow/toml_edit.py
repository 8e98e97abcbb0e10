"""Changes a definition's TOML text as a form asks for it, and keeps a person's comments.

What is changed is compared with the same change of the plain values, so that a text the TOML
library cannot change well is left as it is, with a word to the person.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any, TypeAlias, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT
from tomlkit.items import Table as TomlTable

from app.core.errors import InputError

Table: TypeAlias = MutableMapping[str, Any]
Change: TypeAlias = Callable[[Table], None]
Place: TypeAlias = tuple[str | int, ...]
"""Keys and indexes from the top, such as ("steps", 2, "with", "capability")."""

_WORDS = frozenset({"title", "description"})  # they are read by people and hold no expression


def changed(text: str, change: Change) -> str:
    """Return the text after a change.

    Raises:
        InputError: The text is no TOML, or the change does not fit what is there.
    """
    try:
        plain = tomllib.loads(text)
        document = tomlkit.parse(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"Mend the text first: {error}") from error
    try:
        change(plain)
        change(cast(Table, document))
        new = tomlkit.dumps(document)
        new = _spaced(text, new)
        is_same = tomllib.loads(new) == plain
    except (TOMLKitError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"That cannot be changed here, change the text: {error}") from error
    if not is_same:
        raise InputError("That cannot be changed here without harm to the text: change the text")
    return new


def _spaced(old: str, new: str) -> str:
    """Put an empty line before a table that was added at the end."""
    for header in ("\n[[steps]]", "\n[[triggers]]"):
        at = new.rfind(header)
        if new.count(header) > old.count(header) and at > 0 and new[at - 1] != "\n":
            new = f"{new[:at]}\n{new[at:]}"
    return new


def put(place: Place, value: object) -> Change:
    """Return the change that writes a value, and with None takes it away."""

    def change(top: Table) -> None:
        holder, key = _holder(top, place, is_made=value is not None)
        if holder is None:
            return
        if value is not None:
            holder[key] = _item(value)
        elif isinstance(key, int) or key in holder:
            del holder[key]
            _drop_empty(top, place[:-1])

    return change


def append(name: str, value: Mapping[str, object]) -> Change:
    """Return the change that adds a trigger or step at the end."""

    def change(top: Table) -> None:
        if name not in top:
            top[name] = [] if _is_plain(top) else tomlkit.aot()
        top[name].append(_table(value) if isinstance(top[name], AoT) else dict(value))

    return change


def remove_step(name: str) -> Change:
    """Return the change that takes a step away with what leads to it."""

    def change(top: Table) -> None:
        steps = cast(MutableSequence[Table], top["steps"])
        del steps[_index(steps, name)]
        for step in steps:
            _write_needs(step, [need for need in step.get("needs", []) if need != name])
            if step.get("on_error") == f"goto:{name}":
                del step["on_error"]
            if step.get("goto", {}).get("step") == name:
                del step["goto"]
        if not steps:
            del top["steps"]

    return change


def rename_step(old: str, new: str) -> Change:
    """Return the change that gives a step another id, everywhere."""

    def change(top: Table) -> None:
        steps = cast(MutableSequence[Table], top["steps"])
        steps[_index(steps, old)]["id"] = new
        for step in steps:
            needs = list(step.get("needs", []))
            if old in needs:
                step["needs"] = [new if need == old else need for need in needs]
            if step.get("on_error") == f"goto:{old}":
                step["on_error"] = f"goto:{new}"
            if step.get("goto", {}).get("step") == old:
                step["goto"]["step"] = new
        _rename(top, "steps", old, new)

    return change


def rename_input(old: str, new: str) -> Change:
    """Return the change that gives an input another name, everywhere; it moves to the end."""

    def change(top: Table) -> None:
        inputs = cast(Table, top["inputs"])
        if new in inputs:
            raise LookupError(f'there is an input "{new}" already')
        field = _plain(inputs[old])
        del inputs[old]
        inputs[new] = _item(field)
        for trigger in top.get("triggers", []):
            given = trigger.get("input", {})
            if old in given:
                value = _plain(given[old])
                del given[old]
                given[new] = _item(value)
        _rename(top, "input", old, new)

    return change


def connect(source: str, target: str) -> Change:
    """Return the change that lets `target` need `source`."""

    def change(top: Table) -> None:
        steps = cast(MutableSequence[Table], top["steps"])
        _index(steps, source)
        step = steps[_index(steps, target)]
        needs = list(step.get("needs", []))
        if source not in needs:
            _write_needs(step, [*needs, source])

    return change


def disconnect(source: str, target: str) -> Change:
    """Return the change that takes the edge between two steps away."""

    def change(top: Table) -> None:
        steps = cast(MutableSequence[Table], top["steps"])
        step = steps[_index(steps, target)]
        _write_needs(step, [need for need in step.get("needs", []) if need != source])
        before = steps[_index(steps, source)]
        if before.get("on_error") == f"goto:{target}":
            del before["on_error"]

    return change


def _holder(top: Table, place: Place, *, is_made: bool) -> tuple[Any, Any]:
    """Return what holds the last key of a place; None if it is absent and shall not be made."""
    holder: Any = top
    for key in place[:-1]:
        is_there = isinstance(key, int) or key in holder
        if not is_there and not is_made:
            return None, ""
        if not is_there:
            holder[key] = {} if _is_plain(holder) else tomlkit.table()
        holder = holder[key]
    return holder, place[-1]


def _is_plain(holder: object) -> bool:
    return type(holder) is dict


def _drop_empty(top: Table, place: Place) -> None:
    """Take tables away that hold nothing any more, but no steps and triggers."""
    if len(place) < 2 and place not in {("triggers",), ("inputs",), ("runs",)}:
        return
    holder, key = _holder(top, place, is_made=False)
    if holder is not None and not isinstance(key, int) and not holder[key]:
        del holder[key]


def _write_needs(step: Table, needs: list[str]) -> None:
    if needs != list(step.get("needs", [])):
        if needs:
            step["needs"] = needs
        else:
            del step["needs"]


def _index(steps: MutableSequence[Table], name: str) -> int:
    for index, step in enumerate(steps):
        if step.get("id") == name:
            return index
    raise LookupError(f'there is no step "{name}"')


def _rename(holder: Any, root: str, old: str, new: str) -> None:  # noqa: ANN401  any TOML value
    """Write another name into every expression below a value."""
    for key, value in list(_members(holder)):
        if isinstance(value, str):
            text = re.sub(rf"\b{root}\.{re.escape(old)}\b", f"{root}.{new}", value)
            text = re.sub(rf"\b{root}\[(['\"]){re.escape(old)}\1\]", f"{root}.{new}", text)
            if text != value and key not in _WORDS:
                holder[key] = _item(text)
        else:
            _rename(value, root, old, new)


def _members(holder: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  any TOML value
    match holder:
        case Mapping():
            yield from cast("Mapping[str, Any]", holder).items()
        case list():
            yield from enumerate(holder)  # pyright: ignore[reportUnknownArgumentType]  any TOML value
        case _:
            return


def _item(value: object) -> Any:  # noqa: ANN401  a TOML item or a plain value
    match value:
        case str() if "\n" in value:
            return tomlkit.string(value, multiline=True)
        case dict():
            table = tomlkit.inline_table()
            for key, each in cast(dict[str, object], value).items():
                table[key] = _item(each)
            return table
        case _:
            return value


def _table(value: Mapping[str, object]) -> TomlTable:
    table = tomlkit.table()
    for key, each in value.items():
        table[key] = _item(each)
    return table


def _plain(value: Any) -> Any:  # noqa: ANN401  a TOML item or a plain value
    return value.unwrap() if hasattr(value, "unwrap") else value
