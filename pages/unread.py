"""What a page shows when its store cannot be read: what failed, since when, and what to do."""

from collections.abc import Awaitable, Callable

from app.core.errors import StoreError
from app.plant import Plant
from pages.markup import Html, place, tag
from pages.widgets.words import clock_words


async def read_or_tell(plant: Plant, read: Callable[[], Awaitable[None]]) -> None:
    """Read what a page shows first; if that fails, the page says so in place of an error page."""
    try:
        await read()
    except StoreError as error:
        place(unread(plant, error))


def unread(plant: Plant, error: StoreError) -> Html:
    """Return the sentence that stands where the page's content would be."""
    at = clock_words(plant.clock.now(), plant.settings.site.timezone)
    return tag(
        "div",
        tag("p", tag("b", "This page could not be read at ", at)),
        tag("p", str(error), class_="mw-hint"),
        tag("p", f"{error.hint}. " if error.hint else "", "Load the page again, or look at ",
            tag("a", "Health", href="/health", class_="mw-link"), "."),
        class_="mw-empty mw-unread",
        role="alert",
    )  # fmt: skip
