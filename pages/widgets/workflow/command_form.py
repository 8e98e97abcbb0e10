"""The form by which a person changes the tags of a unit that may be written."""

from collections.abc import Sequence

from nicegui import ui

from app.core.command import ENDED, Command
from app.core.command_check import Check, Seen, bounds, failed, why_untrusted
from app.core.equipment import Equipment, Tag
from app.core.errors import MillwrightError
from app.core.units import unit_words
from app.core.write_rule import Confirm, WriteRule
from app.plant import Plant
from pages.frame import actor
from pages.markup import Html, place, tag
from pages.sight import sight_of
from pages.widgets.live import tag_value
from pages.widgets.reason import reason_for
from pages.widgets.workflow.command_row import change_words, lowered, value_words
from pages.widgets.workflow.marks import COMMAND_LOOKS, glyph, marked
from pages.widgets.workflow.words import count_words

POLL_S = 0.5
APPROVAL_S = 900.0
"""Time a second person has; a command that needs nobody lives as long as the settings say."""

_CONSEQUENCES = {
    Confirm.NONE: "It acts at once.",
    Confirm.SELF: "It acts at once.",
    Confirm.TWO_PERSONS: "It acts when another person approves it, within 15 min.",
}


def writable_tags(unit: Equipment) -> list[Tag]:
    """Return the tags of a unit that somebody may change."""
    return [each for each in unit.tags if each.write]


class CommandForm:
    """One row a writable tag; placed where it is made."""

    def __init__(self, plant: Plant, unit: Equipment) -> None:
        with ui.element("details").classes("mw-card mw-command-form"):
            with ui.element("summary").classes("mw-card-title"):
                tags = count_words(len(writable_tags(unit)), "tag")
                place(tag("h2", "Commands"), tag("span", f"{tags} to set", class_="mw-hint"))
            place(tag("a", "All commands", href="/commands", class_="mw-link mw-more"))
            for each in writable_tags(unit):
                if each.write:
                    _Row(plant, each, each.write)


class _Row:
    """One tag: present value, new value, checks, button, state of what was sent."""

    def __init__(self, plant: Plant, declared: Tag, rule: WriteRule) -> None:
        self._plant = plant
        self._tag = declared
        self._rule = rule
        self._sent: Command | None = None
        self._is_sending = False
        with ui.element("div").classes("mw-command-row"):
            name = declared.description or declared.name
            place(tag("div", tag("span", name), _limits(declared, rule), class_="mw-command-name"))
            place(tag_value(declared.path))
            with ui.element("div").classes("mw-command-set"):
                self._value = self._field(name)
                self._send = ui.button("Send", on_click=self._ask, color=None)
                self._send.classes("mw-button").props("flat").mark(f"send {declared.name}")
            self._checks = place(_check_list([]))
            self._state = place(tag("div"))
        self._send.set_enabled(False)
        self._poll = ui.timer(POLL_S, self._follow, active=False)

    def _field(self, name: str) -> ui.number | ui.select:
        label = f'aria-label="New value of {lowered(name)}"'
        marker = f"value {self._tag.name}"
        if self._tag.states:
            words = {float(number): word for number, word in sorted(self._tag.states.items())}
            choice = ui.select(words, on_change=self._changed)
            return choice.props(f"outlined dense options-dense {label}").mark(marker)
        unit = unit_words(self._tag.unit) or None
        field = ui.number(on_change=self._changed, suffix=unit)
        return field.props(f"outlined dense debounce=250 {label}").mark(marker)

    @property
    def _wanted(self) -> float | None:
        value: object = self._value.value
        return float(value) if isinstance(value, int | float) else None

    async def _changed(self) -> None:
        checks = await self._judge()
        self._checks.set_content(_check_list(checks))
        self._send.set_enabled(bool(checks) and not failed(checks) and not self._is_sending)

    async def _judge(self) -> list[Check]:
        value = self._wanted
        if value is None:
            return []
        try:
            checks = await self._plant.commands.checks(self._tag.path, value, actor())
        except MillwrightError as error:
            return [Check("store", ok=False, text=str(error))]
        seen = Seen(self._tag, self._plant.tags.value(self._tag.path))
        untrusted = why_untrusted(seen, self._plant.clock.now())
        if untrusted:
            text = f"The present value {untrusted}: what a change would mean cannot be judged"
            checks.append(Check("fresh", ok=False, text=text))
        return checks

    async def _ask(self) -> None:
        checks, value = await self._judge(), self._wanted
        self._checks.set_content(_check_list(checks))
        if value is None or failed(checks):
            return
        why = await reason_for(
            self._question(value),
            _CONSEQUENCES[self._rule.confirm],
            "Send",
        )
        if why is not None:
            await self._request(value, why)

    def _question(self, value: float) -> str:
        reading = self._plant.tags.value(self._tag.path)
        unit = self._plant.tags.unit(self._tag.equipment)
        name = lowered(self._tag.description or self._tag.name)
        before = value_words(reading.value if reading else None, self._tag, self._tag.unit)
        after = value_words(value, self._tag, self._tag.unit)
        return f"{unit.name if unit else self._tag.equipment}: {name}: {before} → {after}"

    async def _request(self, value: float, why: str) -> None:
        needs_another = self._rule.confirm is Confirm.TWO_PERSONS
        self._begin_sending()
        try:
            self._sent = await self._plant.commands.request(
                self._tag.path,
                value,
                actor(),
                why,
                expires_s=APPROVAL_S if needs_another else None,
                confirmed=True,
            )
        except MillwrightError as error:
            ui.notify(f"{error}. {error.hint}".rstrip(". "), type="warning")
            self._state.set_content(tag("div"))
            self._send.set_enabled(True)
            return
        finally:
            self._is_sending = False
        self._value.value = None
        self._checks.set_content(_check_list([]))
        self._show(self._sent)

    def _begin_sending(self) -> None:
        """The broker has 5 s to confirm; a second click would be a second command."""
        self._is_sending = True
        self._send.set_enabled(False)
        self._poll.active = False
        words = "It is being sent; the broker has a few seconds to confirm it"
        self._state.set_content(tag("p", words, class_="mw-command-state", role="status"))

    async def _follow(self) -> None:
        if self._sent:
            self._show(await self._plant.commands.get(self._sent.id))

    def _show(self, command: Command) -> None:
        self._sent = command
        self._state.set_content(self._state_line(command))
        self._poll.active = command.state not in ENDED

    def _state_line(self, command: Command) -> Html:
        sight = sight_of(self._plant)
        words = change_words(command, sight)
        return tag(
            "p",
            tag("a", marked(COMMAND_LOOKS[command.state]), href=f"/commands/{command.id}"),
            tag("span", words, class_="mw-hint"),
            tag("span", command.reason) if command.reason else None,
            class_="mw-command-state",
        )


def _limits(declared: Tag, rule: WriteRule) -> Html:
    allowed = bounds(declared, rule)
    unit = unit_words(declared.unit)
    words = [] if declared.states or not allowed else [f"{allowed[0]:g} to {allowed[1]:g} {unit}"]
    if rule.max_step is not None:
        words.append(f"steps of at most {rule.max_step:g} {unit}")
    if rule.confirm is Confirm.TWO_PERSONS:
        words.append("two persons")
    return tag("span", ", ".join(each.strip() for each in words), class_="mw-sub")


def _check_list(checks: Sequence[Check]) -> Html:
    """Return the checks that fail in full, and how many hold."""
    wrong = failed(list(checks))
    rows = [tag("li", glyph("off"), tag("span", each.text), class_="mw-not") for each in wrong]
    held = [each for each in checks if each.ok]
    if held:
        told = "; ".join(each.text for each in held)
        words = f"{len(held)} of {len(checks)} checks hold"
        rows.append(tag("li", glyph("done"), tag("span", words), title=told))
    return tag("ul", rows, class_="mw-checks")
