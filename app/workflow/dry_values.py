"""Expressions before a run: what depends on a result that nobody has yet stands as `?`."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from typing_extensions import override

from app.core.equipment import Tag
from app.core.errors import InputError
from app.core.eval_budget import Budget
from app.core.expression import PLANT_FUNCTIONS, bare, check, evaluate, fill_by

UNKNOWN = "?"

Function = Callable[..., object]
Find = Callable[[str], Tag | None]


class UnknownError(Exception):
    """An expression depends on what is not known before the run; the message may say why."""


class Guess(str):
    """A text with `?` in it for what is not known yet."""

    __slots__ = ()

    @property
    def beginning(self) -> str:
        """What is known of it."""
        return self.partition(UNKNOWN)[0]


class Known(dict[str, object]):
    """What is known by name; whoever asks for more, or for all of it, asks for the unknown."""

    @override
    def __contains__(self, key: object) -> bool:
        return True

    @override
    def __getitem__(self, key: str) -> object:
        if not super().__contains__(key):
            raise UnknownError
        return super().__getitem__(key)

    @override
    def get(self, key: str, default: object = None) -> object:
        return self[key]

    @override
    def __iter__(self) -> Iterator[str]:
        raise UnknownError

    @override
    def __len__(self) -> int:
        raise UnknownError

    @override
    def __eq__(self, other: object) -> bool:
        raise UnknownError

    __hash__ = None  # pyright: ignore[reportAssignmentType]  as a dict


class Values:
    """Computes the expressions of one step, or of one element of its for-each."""

    def __init__(
        self,
        names: Mapping[str, object],
        functions: Mapping[str, Function],
        unknown: frozenset[str] = frozenset(),
    ) -> None:
        """Take what expressions see.

        Args:
            names: Values by name.
            functions: What may be called beside the expressions' own, see `asking`.
            unknown: Names of which nothing is known.
        """
        self._names = names
        self._functions = functions
        self._unknown = unknown

    def value(self, expression: str, budget: Budget | None = None) -> Any:  # noqa: ANN401  as evaluate
        """Return what an expression gives, which may stand in `${…}`.

        Raises:
            UnknownError: It depends on what is not known.
            InputError: It is wrong or cannot be computed.
        """
        text = bare(expression)
        if self._unknown & check(text):
            raise UnknownError
        return evaluate(text, self._names, self._functions, budget)

    def holds(self, condition: str) -> bool:
        """Tell whether a condition holds; one that is empty does. Raises as `value` does."""
        return not bare(condition) or bool(self.value(condition))

    def fields(self, given: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
        """Return the fields of an action, a `Guess` for what is not known.

        Raises:
            InputError: One cannot be computed; it is named.
        """
        filled: dict[str, Any] = {}
        for name, value in given.items():
            try:
                filled[name] = self._filled(value, notes)
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
        return filled

    def _filled(self, value: object, notes: list[str]) -> object:
        match value:
            case dict():
                pairs = cast("dict[str, object]", value)  # a JSON object
                return {key: self._filled(each, notes) for key, each in pairs.items()}
            case list():
                return [self._filled(each, notes) for each in cast("list[object]", value)]
            case str():
                return self._text(value, notes)
            case _:
                return value

    def _text(self, text: str, notes: list[str]) -> object:
        guesses: list[str] = []

        def found(expression: str, budget: Budget) -> object:
            try:
                return self.value(expression, budget)
            except UnknownError as error:
                guesses.append(expression)
                notes.extend(filter(None, [str(error)]))
                return UNKNOWN

        filled = fill_by(text, found)
        return Guess(filled) if guesses else filled


def is_known(value: object) -> bool:
    """Tell whether nothing in a value is a guess."""
    match value:
        case Guess():
            return False
        case dict():
            return all(map(is_known, cast("dict[str, object]", value).values()))
        case list():
            return all(map(is_known, cast("list[object]", value)))
        case _:
            return True


def plain(value: object) -> object:
    """Return a value with guesses as plain texts, for JSON."""
    match value:
        case Guess():
            return str(value)
        case dict():
            return {key: plain(each) for key, each in cast("dict[str, object]", value).items()}
        case list():
            return [plain(each) for each in cast("list[object]", value)]
        case _:
            return value


def asking(functions: Mapping[str, Function], find: Find) -> dict[str, Function]:
    """Return the plant's functions for a dry run: a tag without a good value now is unknown.

    One that does not exist is an error, as it is in the run.
    """

    def asked(name: str) -> Function:
        def ask(path: str) -> object:
            if find(str(path)) is None and name != "is_good":
                raise InputError(f'Tag "{str(path)[:120]}" is not known')
            try:
                return functions[name](path)
            except InputError as error:
                raise UnknownError(f"As of now: {error}") from error

        return ask

    return {**functions, **{name: asked(name) for name in PLANT_FUNCTIONS if name in functions}}
