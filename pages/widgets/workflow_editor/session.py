"""One person's editing of one definition: the text, what was before it, what is saved; pure."""

from collections.abc import Mapping
from typing import Any

from app.core.errors import InputError
from app.workflow.definition import TEXT_BYTES
from app.workflow.toml_edit import changed
from pages.widgets.workflow_editor.edits import edit_of

STEPS_BACK = 200


class EditSession:
    """The text being edited, with undo and redo.

    Attributes:
        text: As it stands now.
        name: Name of the saved workflow; empty for a new one.
        version: Version that the text was made from; empty for a new one.
    """

    def __init__(self, text: str, name: str = "", version: str = "") -> None:
        self.text = text
        self.name = name
        self.version = version
        self._saved = text if name else ""
        self._before: list[str] = []
        self._after: list[str] = []
        self._is_typing = False

    @property
    def is_dirty(self) -> bool:
        """Something would be lost by leaving."""
        return self.text != self._saved and bool(self.name or self._before)

    @property
    def can_undo(self) -> bool:
        """There is a change to take back."""
        return bool(self._before)

    @property
    def can_redo(self) -> bool:
        """There is a change to make again."""
        return bool(self._after)

    def type(self, text: str) -> None:
        """Take the text as a person typed it; what is typed in one go is one step of undo.

        Raises:
            InputError: It is too long.
        """
        if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
            raise InputError(f"The text has over {TEXT_BYTES} bytes; split the workflow")
        self._take(text, is_typed=True)

    def pause(self) -> None:
        """End what is typed in one go."""
        self._is_typing = False

    def edit(self, asked: Mapping[str, Any]) -> None:
        """Change the text as a form asks.

        Raises:
            InputError: It cannot be changed so, or what is asked is not understood.
        """
        self._take(changed(self.text, edit_of(asked).change()), is_typed=False)

    def undo(self) -> None:
        """Take the last change back."""
        if self._before:
            self._after.append(self.text)
            self.text = self._before.pop()
            self._is_typing = False

    def redo(self) -> None:
        """Make the change again that was taken back last."""
        if self._after:
            self._before.append(self.text)
            self.text = self._after.pop()
            self._is_typing = False

    def saved(self, text: str, name: str, version: str) -> None:
        """Note that a text is on disk; what was typed since then is still to be saved."""
        self._saved, self.name, self.version = text, name, version

    def take(self, text: str, name: str, version: str) -> None:
        """Go on from what somebody else has saved; undo brings back what was there before."""
        self._take(text, is_typed=False)
        self.saved(text, name, version)

    def _take(self, text: str, *, is_typed: bool) -> None:
        if text == self.text:
            return
        if not (is_typed and self._is_typing):
            self._before = [*self._before, self.text][-STEPS_BACK:]
        self._after = []
        self.text = text
        self._is_typing = is_typed
