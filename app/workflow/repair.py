"""What persons do about runs: repeat them, see to failures, decide what they ask, try them dry."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.actor import Actor, Role
from app.core.clock import Clock
from app.core.errors import ConflictError, FieldsError, InputError, NotFoundError, RoleError
from app.core.expression import fill
from app.core.run import OVER, Approval, ApprovalState, RunState, StartedBy, WorkflowRun
from app.core.run_plan import stopped_at
from app.core.workflow import Workflow
from app.core.workflow_check import checked_input
from app.core.workflow_entry import by_place
from app.store.database import storable
from app.store.runs import RunStore
from app.workflow.definition import read_definition, version_of
from app.workflow.dry_checks import Around
from app.workflow.dry_run import dry_run
from app.workflow.engine import Engine, new_run_id
from app.workflow.library import Library
from app.workflow.roles import NAMED, check_role
from app.workflow.stored_steps import carried_steps, stored_steps


class Repair:
    """Beside the service: each is one decision of a person, checked and audited by Operations."""

    def __init__(
        self,
        *,
        store: RunStore,
        library: Library,
        engine: Engine,
        clock: Clock,
        functions: Mapping[str, Callable[..., object]],
        changed: Callable[[WorkflowRun], None],
        decided: Callable[[], None],
    ) -> None:
        """Take what it works with.

        Args:
            store: Runs and approvals.
            library: Definitions.
            engine: Begins the repetitions.
            clock: Time.
            functions: What expressions may call beside their own.
            changed: Told of a run that was seen to.
            decided: Told that somebody has decided something.
        """
        self._store = store
        self._library = library
        self._engine = engine
        self._clock = clock
        self._functions = functions
        self._changed = changed
        self._decided = decided
        self._around: Around | None = None

    def use(self, around: Around) -> None:
        """Take what a dry run asks of the app."""
        self._around = around

    async def retry(
        self, run_id: str, actor: Actor, why: str, *, step: str = "", definition: str = "old"
    ) -> WorkflowRun:
        """Start a run that repeats one which is over, from the start or from a step.

        Raises:
            NotFoundError: There is no such run or step.
            ConflictError: It is not over, has been repeated already, or a step to be taken over is
                not in the definition any more.
            RoleError: The workflow is to be started by a higher role.
            FieldsError: The current definition takes other inputs; each is named.
        """
        old = await self._store.find(run_id)
        if old.run.state not in OVER:
            raise ConflictError(f"Run {run_id} is not over; cancel it first")
        workflow, version = old.snapshot, old.run.version
        if definition == "current":
            workflow = self._library.definition(old.run.workflow)
            version = version_of(workflow)
        elif definition != "old":
            raise InputError(f'definition: "{definition[:40]}" is neither old nor current')
        check_role(workflow, actor.role)
        carried = carried_steps(old.slots, old.snapshot, workflow, step) if step else []
        checked = checked_input(workflow, old.run.input)
        by = StartedBy("retry", actor.name, {"run": run_id, "step": step}, why)
        begun = await self._engine.begin(
            workflow,
            version,
            checked,
            key_of(workflow, checked),
            by,
            run_id=new_run_id(self._clock.now()),
            retry_of=run_id,
            carried=carried,
            role=actor.role.value,
        )
        return begun.run

    async def stopped_at(self, run_id: str) -> str:
        """Return the step at which a run came to an end too early, "" if it did at none.

        Raises:
            NotFoundError: There is no such run.
        """
        old = await self._store.find(run_id)
        return stopped_at(old.snapshot, stored_steps(old.snapshot, old.slots))

    async def review(self, run_id: str, actor: Actor, why: str) -> WorkflowRun:
        """Note that a person has seen to a run that failed.

        Raises:
            ConflictError: It has not failed.
        """
        found = await self._store.find(run_id)
        if found.run.state is not RunState.FAILED:
            raise ConflictError(
                f"Run {run_id} is {found.run.state.value}; only a failure is seen to"
            )
        run = await self._store.note(run_id, reviewed=f"{actor.name}: {why}")
        self._changed(run)
        return run

    async def decide(
        self, approval_id: str, actor: Actor, note: str, *, is_approved: bool
    ) -> Approval:
        """Decide an approval.

        Raises:
            NotFoundError: There is no such approval.
            ConflictError: It is decided, its time is over, or the role may not decide it.
        """
        found = await self._store.approvals.find(approval_id)
        if found is None:
            raise NotFoundError(f'There is no approval "{approval_id[:120]}"')
        if not actor.role.covers(Role(found.role)):
            raise RoleError(f'"{found.question}" is to be decided by {found.role}', NAMED)
        now = self._clock.now()
        if found.state is ApprovalState.OPEN and found.expires_at <= now:
            raise ConflictError(f'The time for "{found.question}" is over')
        state = ApprovalState.APPROVED if is_approved else ApprovalState.REJECTED
        decided = await self._store.approvals.decide(
            approval_id, state, actor.name, now, note, role=actor.role.value
        )
        self._decided()
        return decided

    async def dry_run(self, text: str, given: Mapping[str, object], actor: Actor) -> WorkflowRun:
        """Return what a run of a text would do; nothing is sent, kept or changed.

        Raises:
            FieldsError: The text or an input has errors; each is named.
        """
        read = read_definition(text)
        if self._around is None:
            raise AssertionError("use() comes before the first dry run")
        if read.workflow is None:
            errors = [each for each in read.problems if each.is_error]
            raise FieldsError("The definition has errors", by_place(errors))
        checked = checked_input(read.workflow, given)
        by = StartedBy("dry run", actor.name)
        key = key_of(read.workflow, checked)
        return await dry_run(
            read.workflow,
            read.version,
            checked,
            key=key,
            by=by,
            role=actor.role,
            functions=self._functions,
            around=self._around,
            clock=self._clock,
        )


def key_of(workflow: Workflow, given: dict[str, Any]) -> str:
    """Return what runs of a workflow are counted by, for inputs that were checked."""
    return storable(str(fill(workflow.runs.key, {"input": given}))) if workflow.runs.key else ""
