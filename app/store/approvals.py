"""Decisions that runs wait for, on disk."""

import asyncio
from datetime import datetime

import msgspec
import sqlalchemy as sa

from app.core.errors import ConflictError, NotFoundError
from app.core.run import Approval, ApprovalState
from app.store.database import Database
from app.store.group_commit import GroupCommit
from app.store.run_tables import APPROVALS


class ApprovalStore:
    """Approvals beside their runs: one database, one writer."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    async def ask(self, approval: Approval) -> Approval:
        """Keep an approval that is asked for; return it as it is if it was asked for before."""

        def work(connection: sa.Connection) -> Approval:
            known = _approval(connection, approval.id)
            if known is None:
                connection.execute(APPROVALS.insert().values(**_approval_columns(approval)))
            return known or approval

        return await self._commits.write(work)

    async def decide(
        self,
        approval_id: str,
        state: ApprovalState,
        by: str,
        at: datetime,
        note: str,
        *,
        role: str = "",
    ) -> Approval:
        """Decide an approval that is open.

        Raises:
            NotFoundError: There is no such approval.
            ConflictError: It is decided already.
        """

        def work(connection: sa.Connection) -> Approval:
            known = _approval(connection, approval_id, is_to_change=True)
            if known is None:
                raise NotFoundError(f'There is no approval "{approval_id[:120]}"')
            if known.state is not ApprovalState.OPEN:
                who = f" by {known.decided_by}" if known.decided_by else ""
                raise ConflictError(f'"{known.question}" is {known.state.value} already{who}')
            decided = msgspec.structs.replace(
                known, state=state, decided_by=by, decided_role=role, decided_at=at, note=note
            )
            columns = _approval_columns(decided)
            connection.execute(
                APPROVALS.update().where(APPROVALS.c.id == approval_id).values(**columns)
            )
            return decided

        return await self._commits.write(work)

    async def withdraw(self, run_id: str, at: datetime, why: str) -> None:
        """Withdraw what a run still asks of people; it is over, so nobody's answer counts."""
        is_open = APPROVALS.c.run == run_id, APPROVALS.c.state == ApprovalState.OPEN.value

        def work(connection: sa.Connection) -> None:
            query = sa.select(APPROVALS.c.id, APPROVALS.c.data).where(*is_open).with_for_update()
            for row in connection.execute(query).all():
                columns: dict[str, object] = {"state": ApprovalState.WITHDRAWN.value}
                if known := _readable(row.data):
                    columns = _approval_columns(
                        msgspec.structs.replace(
                            known, state=ApprovalState.WITHDRAWN, decided_at=at, note=why
                        )
                    )
                connection.execute(
                    APPROVALS.update().where(APPROVALS.c.id == row.id).values(**columns)
                )

        await self._commits.write(work)

    async def find(self, approval_id: str) -> Approval | None:
        """Return an approval, None if there is none of that id."""

        def work() -> Approval | None:
            with self._database.read() as connection:
                return _approval(connection, approval_id)

        return await asyncio.to_thread(work)

    async def listed(self, *, is_open: bool, limit: int, run: str = "") -> list[Approval]:
        """Return those open, oldest first, or decided, newest first; of one run if named.

        What cannot be read is left out: nobody could say what it asks.
        """
        is_of = APPROVALS.c.state == ApprovalState.OPEN.value
        order = APPROVALS.c.asked_at if is_open else APPROVALS.c.asked_at.desc()
        query = sa.select(APPROVALS.c.data).where(is_of if is_open else ~is_of).order_by(order)
        if run:
            query = query.where(APPROVALS.c.run == run)

        def work() -> list[Approval]:
            with self._database.read() as connection:
                rows = connection.scalars(query.limit(limit)).all()
            return [found for row in rows if (found := _readable(row))]

        return await asyncio.to_thread(work)


def _approval(
    connection: sa.Connection, approval_id: str, *, is_to_change: bool = False
) -> Approval | None:
    """Return an approval; one to change is no other orchestrator's to change until then."""
    query = sa.select(APPROVALS.c.data).where(APPROVALS.c.id == approval_id)
    data = connection.scalar(query.with_for_update() if is_to_change else query)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Approval)
    except msgspec.MsgspecError as error:
        raise ConflictError(
            f'Approval "{approval_id}" cannot be read: {error}',
            "Cancel its run, or start the version of Millwright that began it",
        ) from error


def _readable(data: bytes) -> Approval | None:
    try:
        return msgspec.json.decode(data, type=Approval)
    except msgspec.MsgspecError:
        return None


def _approval_columns(approval: Approval) -> dict[str, object]:
    return {
        "id": approval.id,
        "run": approval.run,
        "state": approval.state.value,
        "asked_at": approval.asked_at.isoformat(),
        "data": msgspec.json.encode(approval),
    }
