"""Which headers an HTTP request may have."""

import re

from app.core.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.1, a token
_NOT_IN_VALUE = re.compile(r"[^\t -~]")  # RFC 9110, section 5.5, without its obsolete signs


def check_header(name: str, value: str) -> None:
    """Tell what is wrong with a header of a request.

    Raises:
        InputError: Its name is none, or its value has other signs than printable ASCII.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"headers: {name[:80]!a} is no name of a header; use letters, digits and -"
        )
    if found := _NOT_IN_VALUE.search(value):
        sign = f'"{found[0]}"' if found[0].isprintable() else f"U+{ord(found[0]):04X}"
        raise InputError(
            f'headers: "{name[:80]}" holds {sign}; a header may have printable ASCII only',
            "Send it in the body, or percent-encoded",
        )
