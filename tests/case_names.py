"""The names of test cases do not follow the time at which a module is imported."""

_LONGEST = 80  # characters


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a case by its size where its value is long or unreadable.

    Compressed bytes hold the time they were made: workers that import a module a second apart would
    name the case differently, and pytest-xdist refuses to begin.
    """
    if isinstance(val, bytes) and (len(val) > _LONGEST or not val.isascii()):
        return f"{argname}-of-{len(val)}-bytes"
    if isinstance(val, str | int) and len(text := str(val)) > _LONGEST:
        return f"{argname}-of-{len(text)}-characters"
    return None
