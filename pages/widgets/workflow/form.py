"""The form that starts a run, made from the workflow's typed inputs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import msgspec
from nicegui import ui
from nicegui.elements.mixins.validation_element import ValidationElement
from nicegui.elements.mixins.value_element import ValueElement

from app.core.equipment import Equipment
from app.core.errors import FieldsError, InputError, MillwrightError
from app.core.units import unit_words
from app.core.workflow import Input, InputKind, Workflow
from app.core.workflow_input import checked_input
from pages.widgets.reason import REASON_LIMIT, close
from pages.widgets.workflow.moment import local_words, utc_words
from pages.widgets.workflow.words import sentence, title_of

TAGS_OFFERED = 3000
Start = Callable[[dict[str, Any], str], Awaitable[object]]


class RunForm:
    """One field an input; what is wrong stands at its field."""

    def __init__(
        self,
        workflow: Workflow,
        units: Sequence[Equipment],
        zone: str,
        given: Mapping[str, object] | None = None,
    ) -> None:
        self._workflow = workflow
        self._zone = zone
        self._fields: dict[str, ValueElement[Any]] = {}
        ui.label(f"Run “{title_of(workflow)}”").classes("mw-ask-title")
        if not workflow.inputs:
            ui.label("It takes no inputs.")
        for name, described in workflow.inputs.items():
            self._fields[name] = _field(name, described, units, zone).mark(f"input {name}")
            if described.description:
                ui.label(described.description).classes("mw-hint mw-form-hint")
        for name, value in (given or {}).items():
            if name in self._fields:
                is_time = workflow.inputs[name].kind is InputKind.TIME
                shown = local_words(str(value), zone) if is_time else value
                _fill(self._fields[name], shown)
        self._why = ui.input("Reason (may be empty)").props(
            f"outlined dense maxlength={REASON_LIMIT}"
        )
        self._why.mark("reason")
        next(iter(self._fields.values()), self._why).props("autofocus")

    def on_enter(self, go_on: Callable[[], Awaitable[None]]) -> None:
        """Go on when the Enter key is pressed in a field of one line."""
        for field in (*self._fields.values(), self._why):
            if isinstance(field, ui.number | ui.input) and not isinstance(field, ui.textarea):
                field.on("keydown.enter", go_on)

    @property
    def why(self) -> str:
        """What the person said."""
        return str(self._why.value or "").strip()

    def values(self) -> dict[str, Any] | None:
        """Return the checked inputs; None if something is wrong, which is then shown."""
        self._clear()
        given: dict[str, object] = {}
        wrong: dict[str, str] = {}
        for name, element in self._fields.items():
            try:
                given[name] = _value(self._workflow.inputs[name], element.value, self._zone)
            except InputError as error:
                wrong[name] = str(error)
        try:
            taken = checked_input(self._workflow, given)
        except FieldsError as error:
            self.show(error.details | wrong)
            return None
        if wrong:
            self.show(wrong)
            return None
        return {name: value for name, value in taken.items() if value is not None}

    def show(self, wrong: Mapping[str, str]) -> None:
        """Show what is wrong at each field."""
        for name, why in wrong.items():
            field = self._fields.get(name)
            words = (
                f"{_label(name, self._workflow.inputs[name])} {why}" if field else f"{name} {why}"
            )
            if isinstance(field, ValidationElement):
                field.error = words
            else:
                ui.notify(words, type="warning")
        first = next((each for name, each in self._fields.items() if name in wrong), None)
        if first:
            first.run_method("focus")

    def _clear(self) -> None:
        for field in self._fields.values():
            if isinstance(field, ValidationElement):
                field.error = None


async def ask_and_start(
    workflow: Workflow,
    units: Sequence[Equipment],
    zone: str,
    start: Start,
    given: Mapping[str, object] | None = None,
) -> object:
    """Show the form until a run was started or the person went back; return what `start` gave.

    Args:
        workflow: The definition.
        units: What can be chosen.
        zone: Time zone of the plant, in which times are typed.
        start: Starts a run with inputs and a reason; its refusals stay in the form.
        given: What the fields hold at first, by input; the rest have their defaults.
    """
    with ui.dialog() as dialog, ui.card().classes("mw-form"):
        form = RunForm(workflow, units, zone, given)

        async def go_on() -> None:
            values = form.values()
            if values is None or not button.enabled:
                return
            button.disable()  # a second Enter would start a second run
            try:
                dialog.submit(await start(values, form.why))
            except FieldsError as error:
                form.show(error.details)
            except MillwrightError as error:
                ui.notify(f"{error}. {error.hint}".rstrip(". "), type="warning")
            finally:
                button.enable()

        with ui.element("div").classes("mw-form-buttons"):
            button = ui.button("Run", on_click=go_on, color=None).props("unelevated")
            button.classes("mw-button mw-primary").mark("go-on")
            ui.button("Back", on_click=lambda: dialog.submit(None), color=None).props("flat")
        form.on_enter(go_on)
    answer = await dialog
    close(dialog)
    return answer


def _field(name: str, described: Input, units: Sequence[Equipment], zone: str) -> ValueElement[Any]:
    label = _label(name, described) + ("" if _must_be_given(described) else " (may be empty)")
    default = described.default
    match described.kind:
        case InputKind.BOOLEAN:
            return ui.checkbox(_label(name, described), value=bool(default))
        case InputKind.NUMBER | InputKind.INTEGER:
            return _number(label, described)
        case InputKind.CHOICE | InputKind.EQUIPMENT | InputKind.TAG:
            return _select(label, _options(described, units), default)
        case InputKind.TIME:
            shown = local_words(str(default or ""), zone)
            field = ui.input(f"{label}, plant time", value=shown)
            return field.props("outlined dense type=datetime-local stack-label")
        case InputKind.OBJECT:
            text = msgspec.json.encode(default).decode() if default is not None else ""
            return ui.textarea(f"{label}, as JSON", value=text).props("outlined dense autogrow")
        case InputKind.TEXT:
            return ui.input(label, value=default or "").props("outlined dense")


def _fill(field: ValueElement[Any], value: object) -> None:
    if isinstance(field, ui.select):
        options = cast("dict[object, str]", field.options)  # `_select` makes it of a dict
        if value not in options:
            field.set_options({value: str(value)} | options)
    field.value = value


def _options(described: Input, units: Sequence[Equipment]) -> dict[str, str]:
    if described.kind is InputKind.CHOICE:
        return {each: each for each in described.choices}
    if described.kind is InputKind.EQUIPMENT:
        return {unit.path: unit.name for unit in units}
    return _tags(units)


def _number(label: str, described: Input) -> ui.number:
    is_whole = described.kind is InputKind.INTEGER
    bounds = _bounds(described)
    field = ui.number(
        f"{label}, {bounds}" if bounds else label,
        value=described.default,
        precision=0 if is_whole else None,
        suffix=unit_words(described.unit) if described.unit else None,
        format="%d" if is_whole else None,
    )
    return field.props("outlined dense")


def _bounds(described: Input) -> str:
    low, high = described.low, described.high
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"at least {low:g}"
    return "" if high is None else f"at most {high:g}"


def _select(label: str, options: dict[str, str], value: object) -> ui.select:
    if isinstance(value, str) and value not in options:
        options = {value: value} | options
    made = ui.select(options, label=label, value=value, with_input=True, clearable=True)
    return made.props("outlined dense options-dense")


def _tags(units: Sequence[Equipment]) -> dict[str, str]:
    named = {
        each.path: f"{unit.name} · {each.description or each.name}"
        for unit in units
        for each in unit.tags
    }
    return dict(list(named.items())[:TAGS_OFFERED])


def _must_be_given(described: Input) -> bool:
    return described.required or described.default not in (None, "")


def _label(name: str, described: Input) -> str:
    return described.title or sentence(name)


def _value(described: Input, value: object, zone: str) -> object:
    if value is None or value == "":
        return None
    if described.kind is InputKind.TIME:
        return utc_words(str(value), zone)
    if described.kind is InputKind.OBJECT:
        try:
            return msgspec.json.decode(str(value))
        except msgspec.DecodeError as error:
            raise InputError(f"is no JSON: {error}") from error
    if described.kind is InputKind.INTEGER and isinstance(value, float) and value.is_integer():
        return int(value)
    return value
