"""Parts of a page that are sent again one by one, as they change.

A part is an element with `data-patch="key"`; the browser (widgets/workflow/work.js) puts the new
one in its place and keeps focus, marks and what is unfolded. Nothing is sent for a part that looks
as before, and all that changed at one time goes in one message.
"""

import json
from collections.abc import Mapping, Sequence

from nicegui import ui

from pages.markup import Html


class Patches:
    """What one browser was shown, by key."""

    def __init__(self, shown: Mapping[str, Html]) -> None:
        self._shown = dict(shown)

    def reset(self, shown: Mapping[str, Html]) -> None:
        """Note that everything was sent anew, by other means."""
        self._shown = dict(shown)

    def send(
        self,
        fresh: Mapping[str, Html],
        *,
        top: Mapping[str, Html] | None = None,
        gone: Sequence[str] = (),
        into: str = "",
    ) -> int:
        """Send what changed; return how many parts that are.

        Args:
            fresh: Parts that may have changed.
            top: New parts, each put before the first in the part `into`, in this order.
            gone: Parts to take away.
            into: Key of the part that `top` goes into.
        """  # fmt: skip
        changed = [
            ["put", key, html] for key, html in fresh.items() if self._shown.get(key) != html
        ]
        changed += [["top", into, html] for html in (top or {}).values()]
        changed += [["gone", key, ""] for key in gone]
        self._shown.update(fresh)
        self._shown.update(top or {})
        for key in gone:
            self._shown.pop(key, None)
        if changed:
            ui.run_javascript(f"Millwright.patch({json.dumps(changed)})")
        return len(changed)
