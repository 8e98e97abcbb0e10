"""One app a data folder: two would write the same tables and drive each other off the broker."""

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from filelock import FileLock, Timeout

from app.core.errors import SettingsError

logger = logging.getLogger(__name__)


class DataLock:
    """Held while the app runs; the system frees it however the process ends.

    Beside the lock stands who holds it, for the one who is refused.
    """

    def __init__(self, home: Path, address: str) -> None:
        self._home = home
        self._address = address
        self._lock = FileLock(home / "app.lock", timeout=0)
        self._holder = home / "app.running"

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            SettingsError: Another app holds it.
        """
        try:
            self._lock.acquire()
        except Timeout as error:
            raise SettingsError(
                f'data.dir: "{self._home}" is in use by Millwright at {self._who()}; open that, '
                "or choose another folder and ports: millwright --data DIR --port 8081, "
                "MILLWRIGHT_BROKER__PORT=1884"
            ) from error
        except OSError as error:  # the folder takes no files, so no second app can write either
            logger.warning("%s is not locked: %s", self._home, error.strerror)
        else:
            self._sign()
        return self

    def __exit__(self, *_: object) -> None:
        """Free it."""
        if self._lock.is_locked:
            with suppress(OSError):  # a stale word of who held it does no harm
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _sign(self) -> None:
        try:
            self._holder.write_text(f"{self._address}, process {os.getpid()}", "utf-8")
        except OSError as error:  # as on a full disk; the lock holds all the same
            logger.warning("%s does not say who holds it: %s", self._home, error.strerror)

    def _who(self) -> str:
        try:
            return self._holder.read_text("utf-8")[:200] or "an unknown address"
        except OSError:
            return "an unknown address"
