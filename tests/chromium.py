"""Where Chromium is, if it is installed."""

import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """Return the path of an installed Chromium."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)
