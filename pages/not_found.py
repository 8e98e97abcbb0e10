"""What stands where nothing is: the frame, a plain sentence and the ways on."""

from fastapi import Request, Response
from nicegui import Client, app, ui
from nicegui.page import page as make_page

from app.plant import Plant
from pages.frame import frame
from pages.markup import place, tag
from pages.widgets import empty_state


def create(plant: Plant) -> None:
    """Answer addresses that no page has."""

    @app.exception_handler(404)
    async def missing(request: Request, _: Exception) -> Response:
        with Client(make_page(""), request=request):
            return not_found(plant, request, f'There is no page "{request.url.path[:200]}"')


_OVERVIEW = ("Overview", "/")


_MOVED = "It may have been renamed, or its source has not sent anything since the start."


def not_found(
    plant: Plant,
    request: Request,
    sentence: str,
    back: tuple[str, str] = _OVERVIEW,
    *,
    why: str = _MOVED,
) -> Response:
    """Draw the page on the current client and return it with status 404.

    Args:
        plant: What the frame shows.
        request: What was asked.
        sentence: What there is not.
        back: Word and address of the page to go on from.
        why: What may have become of it.
    """
    with frame(plant, "Not found"):
        place(
            empty_state(
                sentence,
                why,
                [
                    tag("a", back[0], href=back[1], class_="mw-link"),
                    ", or press ",
                    tag("kbd", "/"),
                    " and search for a tag, a unit, an alarm or a page.",
                ],
            )
        )
    return ui.context.client.build_response(request, 404)
