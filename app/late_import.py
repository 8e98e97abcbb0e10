"""Packages that others import and seldom use, loaded at the first use of a name in them."""

import sys
import threading
from importlib.util import find_spec, module_from_spec
from typing import Any


def put_off(*names: str) -> None:
    """Run each package's `__init__` at the first use of a name in it; its modules import as ever.

    What is loaded already, or not installed, is left as it is.
    """
    for name in names:
        _put_off(name)


def _put_off(name: str) -> None:
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, package, loading = spec.loader, module_from_spec(spec), threading.RLock()
    is_begun = False

    def load(attribute: str) -> Any:  # noqa: ANN401  whatever the package holds
        nonlocal is_begun
        with loading:  # another thread waits; the package itself, which looks into itself, does not
            if not is_begun:
                is_begun = True
                loader.exec_module(package)
                package.__dict__.pop("__getattr__", None)
        if attribute in package.__dict__:
            return package.__dict__[attribute]
        raise AttributeError(f"module {name!r} has no attribute {attribute!r}", name=attribute)

    package.__dict__["__getattr__"] = load
    sys.modules[name] = package
