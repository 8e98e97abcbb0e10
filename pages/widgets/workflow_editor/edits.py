"""What the browser may ask to be changed in a definition, by the field `op`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from app.core.errors import InputError
from app.workflow import toml_edit
from app.workflow.toml_edit import Change

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Place = Annotated[tuple[_Key | int, ...], msgspec.Meta(min_length=1, max_length=12)]


class Put(msgspec.Struct, frozen=True, tag_field="op", tag="put"):
    """A value of one place; None takes it away."""

    place: _Place
    value: Any

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.put(self.place, self.value)


class Append(msgspec.Struct, frozen=True, tag_field="op", tag="append"):
    """A further step or trigger."""

    name: Literal["steps", "triggers"]
    value: dict[str, Any]

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.append(self.name, self.value)


class RemoveStep(msgspec.Struct, frozen=True, tag_field="op", tag="remove_step"):
    """A step less, and what leads to it."""

    id: str

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.remove_step(self.id)


class RenameStep(msgspec.Struct, frozen=True, tag_field="op", tag="rename_step"):
    """Another id, everywhere."""

    old: str
    new: _Key

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.rename_step(self.old, self.new)


class RenameInput(msgspec.Struct, frozen=True, tag_field="op", tag="rename_input"):
    """Another name of an input, everywhere."""

    old: str
    new: _Key

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.rename_input(self.old, self.new)


class Connect(
    msgspec.Struct,
    frozen=True,
    tag_field="op",
    tag="connect",
    rename={"source": "from", "target": "to"},
):
    """An edge more."""

    source: str
    target: str

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.connect(self.source, self.target)


class Disconnect(
    msgspec.Struct,
    frozen=True,
    tag_field="op",
    tag="disconnect",
    rename={"source": "from", "target": "to"},
):
    """An edge less."""

    source: str
    target: str

    def change(self) -> Change:
        """Return the change of the text."""
        return toml_edit.disconnect(self.source, self.target)


Edit: TypeAlias = Put | Append | RemoveStep | RenameStep | RenameInput | Connect | Disconnect

EDITS = frozenset(
    {"put", "append", "remove_step", "rename_step", "rename_input", "connect", "disconnect"}
)


def edit_of(asked: Mapping[str, Any]) -> Edit:
    """Return what the browser asks for.

    Raises:
        InputError: It is not understood.
    """
    try:
        edit: Edit = msgspec.convert(dict(asked), Edit)
    except msgspec.ValidationError as error:
        raise InputError(f"This change is not understood: {error}; load the page anew") from error
    else:
        return edit
