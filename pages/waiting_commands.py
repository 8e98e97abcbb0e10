"""How many commands wait for an approval, counted without a look into the store each second."""

import logging

from nicegui import background_tasks

from app.core.command import Command, CommandState
from app.core.errors import StoreError
from app.plant import Plant

logger = logging.getLogger(__name__)


class WaitingCommands:
    """Follows the gateway's changes; what waited before the start is read once."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant
        self._waiting: set[str] = set()
        self._is_read = self._is_reading = False
        plant.commands.on_change(self._changed)

    def count(self) -> int:
        """Return how many there are, as far as is known; call it now and then."""
        if not self._is_read and not self._is_reading:
            self._is_reading = True
            background_tasks.create(self._read(), name="count commands that wait")
        return len(self._waiting)

    def _changed(self, command: Command) -> None:
        if command.state is CommandState.AWAITING_APPROVAL:
            self._waiting.add(command.id)
        else:
            self._waiting.discard(command.id)

    async def _read(self) -> None:
        try:
            found = await self._plant.commands.find((CommandState.AWAITING_APPROVAL,))
        except StoreError:
            logger.debug("commands cannot be counted yet; asked again")
        else:
            self._waiting |= {command.id for command in found}
            self._is_read = True
        finally:
            self._is_reading = False
