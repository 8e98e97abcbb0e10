"""What each feature of one unit usually is; explanations compare with it."""

from collections.abc import Mapping

import msgspec

_LEAST = 120  # judgements before the unit's own figures stand in for those of its kind
_KEPT = 8640  # judgements that the mean remembers: half a day at one in five seconds
_WELL = 0.9  # probability of normal at which a unit counts as well


class Usual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Running means of the features while the unit is well.

    Attributes:
        means: By feature.
        count: Judgements they rest on.
    """

    means: dict[str, float] = {}
    count: int = 0

    def figures(self) -> dict[str, float]:
        """Return the means, empty while they rest on too little."""
        return self.means if self.count >= _LEAST else {}


def learn(usual: Usual, features: Mapping[str, float], normal: float) -> Usual:
    """Take the features in if the model holds the unit for well."""
    if normal < _WELL:
        return usual
    if set(usual.means) != set(features):
        return Usual(dict(features), 1)
    share = 1 / min(usual.count + 1, _KEPT)
    means = {name: mean + share * (features[name] - mean) for name, mean in usual.means.items()}
    return Usual(means, min(usual.count + 1, _KEPT))
