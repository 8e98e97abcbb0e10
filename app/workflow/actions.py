"""What the steps of workflows do: each kind of action, by the parts of the app it needs."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Protocol, cast

import msgspec

from app.bus.client import Bus, BusState
from app.core.action_check import OWN_TOPICS
from app.core.actor import SYSTEM, Actor, Role
from app.core.clock import Clock
from app.core.command import ENDED, Command, CommandState
from app.core.errors import (
    AgentError,
    BusError,
    ConflictError,
    InputError,
    NotFoundError,
    StoreError,
)
from app.core.run import Approval, ApprovalState, RunState, WorkflowRun
from app.core.task import TaskFailure, TaskResult
from app.core.workflow import ActionKind
from app.store.runs import RunStore
from app.workflow.context import Doing, Done, Fate, as_path
from app.workflow.dispatch import BROKER_AWAY, Dispatcher, is_worth_another_try
from app.workflow.fate import fate_of
from app.workflow.field_values import as_message, as_number
from app.workflow.wait_time import has_come, time_words, wait_s
from app.workflow.web import call

NOTIFY = "notify"
LOOK_S = 1.0
_STORE_S = 1.0
_WITHDRAWS = msgspec.structs.replace(SYSTEM, role=Role.ENGINEER)
"""Takes back what a run asked for, whatever role the tag asks of persons."""


class RefusedError(AgentError):
    """The same would be refused again, so a retry makes no sense."""


class FinalError(RefusedError):
    """A person said no, or it goes against a rule: at no other time would it be done either."""


class UncertainError(RefusedError):
    """Nobody can say whether it was done; it is not tried again."""


class Commands(Protocol):
    """What the command action needs of the gateway."""

    async def request(
        self,
        tag: str,
        value: float,
        actor: Actor,
        why: str,
        *,
        id: str = "",
        run: str = "",
        expires_s: float | None = None,
        approver: Actor | None = None,
    ) -> Command:
        """Ask for a command."""
        ...

    async def get(self, command_id: str) -> Command:
        """Return a command."""
        ...

    async def reject(self, command_id: str, actor: Actor, note: str = "") -> Command:
        """Refuse one that waits for approval."""
        ...

    async def is_refused_for_good(self, command: Command) -> bool:
        """Tell whether one that was rejected would be so again, whenever it is asked for."""
        ...


class Children(Protocol):
    """What the workflow action needs of the engine."""

    async def run(self, name: str, given: dict[str, Any], run_id: str, doing: Doing) -> WorkflowRun:
        """Start a run, or find the one of that id, and wait for its end."""
        ...

    async def cancel(self, run_id: str) -> None:
        """Cancel it, if it has begun and is not over."""
        ...


class Actions:
    """Does steps; knows the parts of the app and nothing of the order of steps."""

    def __init__(
        self,
        *,
        bus: Bus,
        dispatcher: Dispatcher,
        commands: Commands,
        store: RunStore,
        children: Children,
        clock: Clock,
        http_hosts: tuple[str, ...],
        functions: Mapping[str, Callable[..., object]],
    ) -> None:
        self._bus = bus
        self._dispatcher = dispatcher
        self._commands = commands
        self._store = store
        self._children = children
        self._clock = clock
        self._http_hosts = http_hosts
        self._functions = functions
        self._decided = asyncio.Event()
        self._kinds: dict[ActionKind, Callable[[dict[str, Any], Doing], Awaitable[Done]]] = {
            ActionKind.TASK: self._task,
            ActionKind.PUBLISH: self._publish,
            ActionKind.NOTIFY: self._notify,
            ActionKind.HTTP: self._http,
            ActionKind.WAIT: self._wait,
            ActionKind.APPROVE: self._approve,
            ActionKind.COMMAND: self._command,
            ActionKind.WORKFLOW: self._workflow,
        }

    def note_decision(self) -> None:
        """Wake who waits for a person or a command."""
        self._decided.set()
        self._decided = asyncio.Event()

    async def do(self, kind: ActionKind, fields: dict[str, Any], doing: Doing) -> Done:
        """Do an action; its fields are computed already.

        Raises:
            MillwrightError: It failed; a RefusedError or InputError would fail again.
        """
        return await self._kinds[kind](fields, doing)

    async def withdraw(self, kind: ActionKind, task_id: str) -> None:
        """Take back what a step asked of people in an earlier life of the app, if it did.

        Raises:
            StoreError: It cannot be read or written.
        """
        with suppress(NotFoundError):
            match kind:
                case ActionKind.COMMAND:
                    await self._withdraw_command(task_id)
                case ActionKind.WORKFLOW:
                    await self._children.cancel(as_path(task_id))
                case _:
                    return

    async def fate(self, kind: ActionKind, task_id: str) -> Fate | None:
        """Return what is known of what a step asked for; None of kinds that leave no trace here.

        Raises:
            StoreError: It cannot be read.
        """
        return await fate_of(kind, task_id, self._commands, self._store)

    async def _task(self, fields: dict[str, Any], doing: Doing) -> Done:
        return await self._ask(str(fields["capability"]), _object(fields, "input"), fields, doing)

    async def _notify(self, fields: dict[str, Any], doing: Doing) -> Done:
        given = {"priority": 3, **fields, "key": doing.task_id}
        done = await self._ask(NOTIFY, given, {}, doing)
        match done.output:
            case {"warning": str() as warning} if warning:
                doing.log(warning)
            case _:
                pass
        return done

    async def _ask(
        self, capability: str, given: dict[str, Any], fields: dict[str, Any], doing: Doing
    ) -> Done:
        left_s = (doing.deadline - self._clock.now()).total_seconds()
        result = await self._dispatcher.perform(
            doing.task_id,
            capability,
            given,
            max(left_s, 0.0),
            agent=str(fields.get("agent", "")),
            waiting=doing.waiting,
        )
        if result.output is None:
            raise _task_error(result)
        return Done(result.output, result.agent)

    async def _publish(self, fields: dict[str, Any], doing: Doing) -> Done:
        topic, payload = str(fields["topic"]), fields["payload"]
        if topic.startswith(OWN_TOPICS):
            raise InputError(f'topic: "{topic[:120]}" is one of the app; use one of your own')
        left_s = max(0.1, (doing.deadline - self._clock.now()).total_seconds())
        message = as_message(payload)
        if fields.get("qos", 1) == 0:
            self._bus.publish(topic, message, retain=bool(fields.get("retain", False)))
        else:
            retain = bool(fields.get("retain", False))
            doing.waiting("" if self._bus.state is BusState.CONNECTED else BROKER_AWAY)
            await self._bus.publish_confirmed(topic, message, retain=retain, timeout_s=left_s)
        return Done({"topic": topic, "bytes": len(message)})

    async def _http(self, fields: dict[str, Any], doing: Doing) -> Done:
        headers = {str(key): str(value) for key, value in _object(fields, "headers").items()}
        headers.setdefault("Idempotency-Key", doing.task_id)
        left_s = max(0.1, (doing.deadline - self._clock.now()).total_seconds())
        output = await call(
            str(fields.get("method", "GET")).upper(),
            str(fields["url"]),
            fields.get("body"),
            headers,
            allowed=self._http_hosts,
            timeout_s=left_s,
        )
        return Done(output)

    async def _wait(self, fields: dict[str, Any], doing: Doing) -> Done:
        until, now = str(fields.get("until", "")), self._clock.now()
        # the step's own deadline outlives a restart; elements and undos have only their time limit
        left_s = max(0.0, (doing.deadline - now).total_seconds())
        lasts_s = min(left_s, wait_s(fields, now, math.inf))
        end, ends_s = now + timedelta(seconds=lasts_s), self._clock.monotonic() + lasts_s
        while True:
            now = self._clock.now()
            if until and has_come(until, now, doing.names, self._functions):
                return Done({"reached": True, "at": now.isoformat()})
            is_set = "seconds" in fields  # then it lasts so long, whatever becomes of the clock
            left_s = ends_s - self._clock.monotonic() if is_set else (end - now).total_seconds()
            if left_s <= 0:
                break
            doing.waiting(time_words(fields, end, doing.step.title))
            await self._clock.sleep(min(left_s, LOOK_S) if until else left_s)
        if until and "seconds" not in fields:
            raise BusError(f"{until} did not come true in time")
        return Done({"reached": not until, "at": self._clock.now().isoformat()})

    async def _approve(self, fields: dict[str, Any], doing: Doing) -> Done:
        question, role = str(fields["question"]), _role(fields)
        asked = Approval(
            id=doing.task_id,
            run=doing.run.id,
            step=doing.step.id,
            workflow=doing.run.workflow,
            question=question,
            role=role.value,
            state=ApprovalState.OPEN,
            asked_at=self._clock.now(),
            expires_at=doing.deadline,
            details=fields.get("details"),
        )
        news = self._decided  # before each look, so that no decision falls between look and wait
        approval = await self._store.approvals.ask(asked)
        doing.waiting(f"a person: {question}")
        self.note_decision()  # a new question is news to pages, too
        while approval.state is ApprovalState.OPEN:
            left_s = (doing.deadline - self._clock.now()).total_seconds()
            if left_s <= 0:
                await self._close(approval, ApprovalState.EXPIRED, "")
                approval = await self._store.approvals.find(approval.id) or approval
                break
            try:
                await _news(news, min(left_s, LOOK_S if self._store.is_shared else left_s))
            except asyncio.CancelledError:
                if doing.is_cancelled():
                    said = "Its run was cancelled"
                    await self._insist(
                        partial(self._close, approval, ApprovalState.WITHDRAWN, said), doing
                    )
                raise
            news = self._decided
            approval = await self._store.approvals.find(approval.id) or approval
        if approval.state in {ApprovalState.OPEN, ApprovalState.EXPIRED}:
            raise RefusedError(f'Nobody decided "{question}" in time')
        return Done(_decision(approval), approval.decided_by or "app")

    async def _command(self, fields: dict[str, Any], doing: Doing) -> Done:
        tag, name = str(fields["tag"]), doing.person or f"workflow {doing.run.workflow}"
        asking = asyncio.ensure_future(
            self._commands.request(
                tag,
                as_number("value", fields["value"]),
                Actor(name, "workflow", Role(doing.run.role)),
                str(fields.get("why") or f"Step {doing.step.id} of run {doing.run.id}"),
                id=doing.path,
                run=doing.task_id,
                expires_s=max(1.0, (doing.deadline - self._clock.now()).total_seconds()),
                approver=doing.approver,
            )
        )
        asking.add_done_callback(_heed)
        try:
            command = await asyncio.shield(asking)  # its row is written, or it is not: no third way
            while command.state not in ENDED:
                doing.waiting(_command_words(command))
                await _news(self._decided, LOOK_S)
                command = await self._commands.get(command.id)
        except asyncio.CancelledError:
            if doing.is_cancelled():
                await asyncio.wait([asking])
                await self._insist(lambda: self._withdraw_command(doing.task_id), doing)
            raise
        output = msgspec.to_builtins(command)
        if command.state is not CommandState.VERIFIED:
            kind = await self._kind_of(command)
            said = f"Command {tag} = {command.value:g} is {command.state.value}: {command.reason}"
            raise kind(said)
        return Done(output, command.actuator or "app")

    async def _kind_of(self, command: Command) -> type[RefusedError]:
        match command.state:
            case CommandState.UNKNOWN:
                return UncertainError
            case CommandState.REJECTED if await self._commands.is_refused_for_good(command):
                return FinalError
            case _:
                return RefusedError

    async def _insist(self, withdraw: Callable[[], Awaitable[None]], doing: Doing) -> None:
        """Take back what was asked for, however long a store refuses it: a cancel holds."""
        while True:
            try:
                await withdraw()
            except StoreError as error:
                doing.waiting(f"a store, to take back what was asked for: {error}")
                await self._clock.sleep(_STORE_S)
            else:
                return

    async def _withdraw_command(self, task_id: str) -> None:
        # it is sent already, and its row says what became of it; or it never was asked for
        with suppress(ConflictError, NotFoundError):
            command = await self._commands.get(as_path(task_id))
            if command.run == task_id:  # one of a person under that id is left alone
                await self._commands.reject(command.id, _WITHDRAWS, "Its run was cancelled")

    async def _workflow(self, fields: dict[str, Any], doing: Doing) -> Done:
        given = _object(fields, "input")
        left_s = max(0.0, (doing.deadline - self._clock.now()).total_seconds())
        try:
            async with asyncio.timeout(left_s):
                child = await self._children.run(str(fields["name"]), given, doing.path, doing)
        except TimeoutError as error:
            raise RefusedError(f"Run {doing.path} was not over in time and is cancelled") from error
        if child.state is not RunState.COMPLETED:
            raise RefusedError(f"Run {child.id} is {child.state.value}: {child.reason}")
        return Done({"run": child.id, "output": child.output})

    async def _close(self, approval: Approval, state: ApprovalState, note: str) -> None:
        with suppress(ConflictError):  # a person was faster
            await self._store.approvals.decide(approval.id, state, "", self._clock.now(), note)


def _heed(asking: asyncio.Future[Command]) -> None:
    """Take note of an error that nobody waits for any more, or asyncio complains of it."""
    if not asking.cancelled():
        asking.exception()


async def _news(decided: asyncio.Event, timeout_s: float) -> None:
    """Wait until something was decided, or the time is up."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await decided.wait()


def _object(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = fields.get(name, {})
    if not isinstance(found, dict):
        raise InputError(f"{name}: is {type(found).__name__} and no object")
    return cast("dict[str, Any]", found)  # a JSON object


def _role(fields: Mapping[str, Any]) -> Role:
    found = str(fields.get("role", Role.OPERATOR.value))
    try:
        return Role(found)
    except ValueError as error:
        raise InputError(f'role: "{found[:80]}" is none of {", ".join(Role)}') from error


def _decision(approval: Approval) -> dict[str, object]:
    return {
        "approved": approval.state is ApprovalState.APPROVED,
        "decided_by": approval.decided_by,
        "decided_role": approval.decided_role,
        "note": approval.note,
    }


def _command_words(command: Command) -> str:
    if command.state is CommandState.AWAITING_APPROVAL:
        return f"a person: {command.tag} = {command.value:g}"
    return command.reason or f"command {command.id}, which is {command.state.value}"


def _task_error(result: TaskResult) -> Exception:
    if result.details:
        named = "; ".join(f"{name}: {why}" for name, why in result.details.items())
        return RefusedError(f"{result.agent}: {named}")
    if is_worth_another_try(result.failure):
        return AgentError(f"{result.agent}: {result.error}")
    if result.failure is TaskFailure.CONFLICT:
        return ConflictError(f"{result.agent}: {result.error}")
    return RefusedError(f"{result.agent}: {result.error}")
