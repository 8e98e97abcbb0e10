"""What persons and peers may do with workflows: each noted before it is done."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from app.core.actor import Actor, Role, check_actor
from app.core.clock import Clock
from app.core.errors import InputError, RoleError
from app.core.run import Approval, Begun, StartedBy, WorkflowRun
from app.core.workflow_entry import Entry
from app.store.audit import AuditLog
from app.store.audited import audited
from app.workflow.plant_inputs import PlantInputs
from app.workflow.service import WorkflowService

_KINDS = {"ui": "click", "http": "http", "cli": "cli", "mqtt": "mqtt"}


class Operations:
    """One way in for pages, HTTP, command line and MQTT; Plant hands on to it."""

    def __init__(
        self, workflows: WorkflowService, inputs: PlantInputs, audit: AuditLog, clock: Clock
    ) -> None:
        self._workflows = workflows
        self._inputs = inputs
        self._audit = audit
        self._clock = clock

    async def start_workflow(
        self, name: str, given: Mapping[str, object], actor: Actor, *, why: str = "", id: str = ""
    ) -> WorkflowRun:
        """Start a run; see `begin_workflow`."""
        return (await self.begin_workflow(name, given, actor, why=why, id=id)).run

    async def begin_workflow(
        self, name: str, given: Mapping[str, object], actor: Actor, *, why: str = "", id: str = ""
    ) -> Begun:
        """Start a run; the same id again starts nothing new, and is told as not new.

        Raises:
            NotFoundError: There is no such workflow.
            FieldsError: Inputs are wrong, or name units or tags that do not exist; each is named.
            ConflictError: The role may not, it runs already, or the id is another workflow's run.
            StoreError: Neither audit nor run can be kept; nothing was started.
        """
        by = StartedBy(_KINDS.get(actor.source, actor.source), actor.name, why=why)
        # nobody did anything: no row for what does not exist
        workflow = self._workflows.definition(name)
        async with self._audited(actor, "start workflow", name, why):
            self._inputs.check(workflow, given)
            return await self._workflows.begin(name, given, by, actor.role, id)

    async def cancel_run(self, run_id: str, actor: Actor, why: str) -> None:
        """Cancel a run; what can be taken back is.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It is over, or the role may not.
            InputError: No reason is given.
        """
        _need(actor, Role.OPERATOR, "cancel a run")
        reason = _reason(why)
        async with self._audited(actor, "cancel run", run_id, reason):
            await self._workflows.engine.cancel(run_id, f"Cancelled by {actor.name}: {reason}")

    async def retry_run(
        self, run_id: str, actor: Actor, why: str, *, step: str = "", definition: str = "old"
    ) -> WorkflowRun:
        """Repeat a run from its start or from a step, by its old or the current definition.

        Raises:
            NotFoundError: There is no such run or step.
            ConflictError: It is not over, or the role may not.
            InputError: No reason is given.
        """
        _need(actor, Role.OPERATOR, "repeat a run")
        reason = _reason(why)
        target = f"{run_id} from {step or 'its start'}, {definition} definition"
        async with self._audited(actor, "retry run", target, reason):
            return await self._workflows.repair.retry(
                run_id, actor, reason, step=step, definition=definition
            )

    async def review_run(self, run_id: str, actor: Actor, why: str) -> WorkflowRun:
        """Note that a person has seen to a run that failed.

        Raises:
            ConflictError: It has not failed, or the role may not.
            InputError: No reason is given.
        """
        _need(actor, Role.OPERATOR, "see to a failed run")
        reason = _reason(why)
        async with self._audited(actor, "review run", run_id, reason):
            return await self._workflows.repair.review(run_id, actor, reason)

    async def decide(
        self, approval_id: str, is_approved: bool, actor: Actor, note: str = ""
    ) -> Approval:
        """Decide what a run waits for.

        Raises:
            NotFoundError: There is no such approval.
            ConflictError: It is decided, its time is over, or the role may not.
            InputError: A rejection has no reason.
        """
        if not is_approved:
            _reason(note)
        action = "approve" if is_approved else "reject"
        async with self._audited(actor, action, approval_id, note):
            return await self._workflows.repair.decide(
                approval_id, actor, note, is_approved=is_approved
            )

    async def save_workflow(
        self, name: str, text: str, actor: Actor, *, base_version: str = ""
    ) -> Entry:
        """Write a definition.

        Raises:
            FieldsError: The text has errors; each is named with its line.
            ConflictError: The file changed since `base_version`, or the role may not.
        """
        _need(actor, Role.OPERATOR, "change a workflow")
        async with self._audited(actor, "save workflow", name):
            return await self._workflows.save(name, text, base_version, actor)

    async def delete_workflow(self, name: str, actor: Actor) -> None:
        """Delete an own definition; one that ships with the product works again.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: It ships with the product, or the role may not.
        """
        _need(actor, Role.OPERATOR, "delete a workflow")
        async with self._audited(actor, "delete workflow", name):
            await self._workflows.delete(name)

    async def enable_workflow(self, name: str, is_enabled: bool, actor: Actor) -> Entry:
        """Switch the triggers of a workflow.

        Raises:
            NotFoundError: There is none of this name.
            ConflictError: The role may not.
        """
        _need(actor, Role.OPERATOR, "switch a workflow")
        action = "enable workflow" if is_enabled else "disable workflow"
        async with self._audited(actor, action, name):
            return await self._workflows.enable(name, is_enabled=is_enabled)

    async def dry_run_workflow(
        self, text: str, given: Mapping[str, object], actor: Actor
    ) -> WorkflowRun:
        """Return what a run of a text would do; nothing is sent, kept or noted."""
        return await self._workflows.repair.dry_run(text, given, actor)

    def _audited(
        self, actor: Actor, action: str, target: str, why: str = ""
    ) -> AbstractAsyncContextManager[None]:
        check_actor(actor)  # one door for all ways in, pages too
        return audited(self._audit, self._clock, actor, action, target, why=why)


def _need(actor: Actor, role: Role, what: str) -> None:
    if not actor.role.covers(role):
        raise RoleError(f"{actor.name} is {actor.role.value} and may not {what}; {role.value} may")


def _reason(why: str) -> str:
    if not why.strip():
        raise InputError("why: is empty; say the reason, it stands in the audit")
    return why.strip()
