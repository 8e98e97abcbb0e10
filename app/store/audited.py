"""An action under audit: its intent is on disk before it happens, its outcome after."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.errors import ConflictError, InputError, NotFoundError, StoreError
from app.store.audit import AuditLog, Outcome

logger = logging.getLogger(__name__)

_REFUSALS = (InputError, NotFoundError, ConflictError)


@asynccontextmanager
async def audited(
    audit: AuditLog, clock: Clock, actor: Actor, action: str, target: str, *, why: str = ""
) -> AsyncGenerator[None]:
    """Note who is about to do what, let the block do it, and note what came of it.

    Raises:
        StoreError: The intent cannot be written; the block is not entered.
    """
    number = await asyncio.to_thread(audit.append, clock.now(), actor, action, target, why)
    outcome, reason = Outcome.DONE, ""
    try:
        yield
    except Exception as error:
        outcome = Outcome.REFUSED if isinstance(error, _REFUSALS) else Outcome.FAILED
        reason = str(error) or type(error).__name__
        raise
    except BaseException:  # the app is stopping; nobody knows how far it came
        outcome = Outcome.UNKNOWN
        raise
    finally:
        if outcome is not Outcome.UNKNOWN:
            await _conclude(audit, clock, number, outcome, reason)


async def _conclude(
    audit: AuditLog, clock: Clock, number: int, outcome: Outcome, reason: str
) -> None:
    """Note the outcome; what happened has happened, so trouble here is told and not raised."""
    try:
        await asyncio.to_thread(audit.conclude, number, clock.now(), outcome, reason)
    except StoreError as error:
        logger.error("outcome of action %d is not noted: %s", number, error)  # noqa: TRY400  no bug of ours
