"""The maintenance agent: process values of each unit, and what they say of failures to come."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

import msgspec
from typing_extensions import override

from agents.base.agent import BaseAgent
from agents.base.logic import Window
from agents.maintenance.averages import Averages, average, is_judgeable
from agents.maintenance.classes import NORMAL, modes_of
from agents.maintenance.features import rated_figures, row_features
from agents.maintenance.forest import Forest, likeliest
from agents.maintenance.physics import PHYSICS
from agents.maintenance.usual import Usual, learn
from agents.maintenance.watch import Belief, absent, decide, explain, present, watch
from app.core.agent import AgentSpec
from app.core.alarm import Finding
from app.core.equipment import Equipment
from app.core.errors import FieldsError, ModelError, NotFoundError

_GAP_S = 30.0  # a longer silence is not bridged: nobody knows what the unit did
_FORGET_S = 900.0  # after this silence the means speak of another time
_TAGS = sorted({tag for physics in PHYSICS.values() for tag in physics.tags})


class UnitState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that must outlive a restart, of one unit.

    Attributes:
        means: Running means of its signals.
        beliefs: Failure modes by name.
        usual: Its features while it is well.
        at: When it was last judged, UTC.
    """

    means: Averages = Averages()
    beliefs: dict[str, Belief] = {}
    usual: Usual = Usual()
    at: datetime | None = None


class MaintenanceAgent(BaseAgent):
    """Predicts failure modes of motor pumps, compressors, spindles, ovens and conveyors."""

    spec: ClassVar[AgentSpec] = AgentSpec(
        name="maintenance",
        purpose="Predicts failure modes of each unit from its process values",
        capabilities=("predict_failure",),
        inputs=tuple(_TAGS),
        model="maintenance",
        aliases=("pm",),
    )
    period_s: ClassVar[float] = 5.0

    _forest: Forest | None = None

    @override
    def wants(self, unit: Equipment, window: Window) -> bool:
        """Judge units of known kinds whose inputs are all good, fresh and rated."""
        physics = PHYSICS.get(unit.kind)
        return physics is not None and len(window.present(physics.tags)) == len(physics.tags)

    @override
    def decide(self, unit: Equipment, window: Window, at: datetime) -> Iterable[Finding]:
        """State the failure modes of one unit."""
        physics = PHYSICS[unit.kind]
        rated = rated_figures(unit.kind, unit.nameplate)
        if rated is None:
            return []
        old = self._remembered(unit, at)
        dt_s = min((at - old.at).total_seconds(), _GAP_S) if old.at else self.period_s
        means = average(old.means, physics.signals(window.present(physics.tags), rated), dt_s)
        state = UnitState(means, old.beliefs, old.usual, at)
        findings: list[Finding] = []
        if is_judgeable(means):
            state, findings = self._judge(unit, state, dt_s, at)
        self.states.put(unit.path, state)
        return findings

    @override
    async def handle_task(self, capability: str, input: dict[str, object]) -> dict[str, object]:
        """Predict from one row of process values."""
        if capability != "predict_failure":
            raise NotFoundError(f'Agent "maintenance" has no capability "{capability}"')
        forest = self._loaded()
        unit = self._named_unit(input)
        given = input if unit is None or "kind" in input else {**input, "kind": unit.kind.value}
        kind, features = row_features(given, unit.nameplate if unit else {})
        forest.check(kind, features)
        probabilities = forest.predict(kind, features)
        path, at = unit.path if unit else "", self.clock.now()
        mode = likeliest(kind, probabilities)
        if probabilities[mode] < forest.thresholds[mode]:
            found = absent(path, NORMAL, probabilities[NORMAL], at)
        else:
            usual = self.states.get(path, UnitState).usual.figures() if path else {}
            shares = forest.contributions(kind, features, mode, usual)
            found = explain(present(path, mode, probabilities[mode], at), shares, features)
        output: dict[str, object] = msgspec.to_builtins(found)
        return {**output, "probabilities": probabilities}

    def _judge(
        self, unit: Equipment, state: UnitState, dt_s: float, at: datetime
    ) -> tuple[UnitState, list[Finding]]:
        forest = self._loaded()
        features = PHYSICS[unit.kind].features(state.means)
        probabilities = forest.predict(unit.kind, features)
        thresholds = {mode: forest.thresholds[mode] for mode in modes_of(unit.kind)}
        beliefs = watch(state.beliefs, probabilities, thresholds, dt_s)
        usual = learn(state.usual, features, probabilities[NORMAL])
        findings = [
            explain(
                found,
                forest.contributions(unit.kind, features, found.condition, usual.figures()),
                features,
            )
            if found.priority is not None
            else found
            for found in decide(unit.path, beliefs, probabilities, at)
        ]
        return UnitState(state.means, beliefs, usual, at), findings

    def _remembered(self, unit: Equipment, at: datetime) -> UnitState:
        state = self.states.get(unit.path, UnitState)
        if state.at is None or not 0 <= (at - state.at).total_seconds() <= _FORGET_S:
            return UnitState(beliefs=state.beliefs, usual=state.usual)
        return state

    def _loaded(self) -> Forest:
        """Return the forest.

        Raises:
            ModelError: No model is loaded, or it was made for other features.
        """
        if self.model is None:
            raise ModelError('Model "maintenance" is not loaded', "See the agent's state")
        if self._forest is None:
            self._forest = Forest(self.model)
        return self._forest

    def _named_unit(self, input: dict[str, object]) -> Equipment | None:
        """Return the unit that a task names.

        Raises:
            FieldsError: There is no such unit.
        """
        path = input.get("equipment")
        if path is None:
            return None
        unit = self.units.get(str(path))
        if unit is None:
            problem = {"equipment": f'"{str(path)[:120]}" is not known'}
            raise FieldsError("Process values are not usable: equipment is not known", problem)
        return unit
