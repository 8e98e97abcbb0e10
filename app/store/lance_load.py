"""Loads lancedb without the REST client that comes with it.

lancedb imports `lance_namespace`, and that a generated client of a REST catalogue, which on import
builds a validator for each of its calls: 1.0 s of the 2.6 s of CPU and 22 MB of the 148 MB that
`import lancedb` takes (lancedb 0.40, lance-namespace 0.13). The history needs no such catalogue.
"""

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

REST_CLIENT = "lance_namespace_urllib3_client"


def load_lancedb() -> Any:  # noqa: ANN401  lancedb has no types
    """Import lancedb; its REST client is loaded when something asks for it."""
    _put_off(REST_CLIENT)
    return importlib.import_module("lancedb")


def _put_off(name: str) -> None:
    """Run a package's `__init__` at the first use of a name in it; its modules import as ever."""
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, package = spec.loader, module_from_spec(spec)

    def load(attribute: str) -> Any:  # noqa: ANN401  whatever the package holds
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = load
    sys.modules[name] = package
