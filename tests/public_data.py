"""Where the public data sets are, and the mark of tests that need one."""

from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"
NO_DATA = "public data set is not beside the project"


def needs(path: Path) -> pytest.MarkDecorator:
    """Skip a test where `path` is absent; the data are not part of the project."""
    return pytest.mark.skipif(not path.exists(), reason=f"{NO_DATA}: {path.name}")
