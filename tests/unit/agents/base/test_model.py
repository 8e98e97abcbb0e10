import hashlib
import shutil
from pathlib import Path

import pytest

from agents.base.model import MODELS, load_model, read_card
from app.core.errors import FieldsError, ModelError

SHIPPED = sorted(card.parent.name for card in MODELS.glob("*/card.toml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a shipped model that a test may spoil."""
    return Path(shutil.copytree(MODELS / SHIPPED[0], tmp_path / SHIPPED[0]))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_matches_its_card_and_runs(name: str):
    model = load_model(MODELS / name)

    found = model.probabilities({feature.name: 0.0 for feature in model.card.features})

    assert tuple(found) == model.card.classes
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)


def test_wrong_features_are_named(folder: Path):
    model = load_model(folder)
    features = {feature.name: 0.0 for feature in model.card.features[1:]}

    with pytest.raises(FieldsError, match="missing") as caught:
        model.probabilities({**features, "colour": 1.0})

    assert caught.value.details == {model.card.features[0].name: "missing", "colour": "unknown"}


def test_a_changed_artefact_is_not_loaded(folder: Path):
    artefact = folder / read_card(folder).path
    artefact.write_bytes(artefact.read_bytes() + b"\0")

    with pytest.raises(ModelError, match="sha256 differs") as caught:
        load_model(folder)

    assert read_card(folder).command in caught.value.hint


def test_a_missing_artefact_is_named(folder: Path):
    name = read_card(folder).path
    (folder / name).unlink()

    with pytest.raises(ModelError, match=name):
        load_model(folder)


def test_a_missing_card_is_named(tmp_path: Path):
    with pytest.raises(ModelError, match='Model "absent" has no card'):
        load_model(tmp_path / "absent")


@pytest.mark.parametrize("text", [b"name = ", b'name = "x"', b"\xff"])
def test_a_wrong_card_is_an_error(folder: Path, text: bytes):
    (folder / "card.toml").write_bytes(text)

    with pytest.raises(ModelError, match=r"card|Card"):
        load_model(folder)


def test_an_artefact_that_is_no_model_is_an_error(folder: Path):
    card = read_card(folder)
    nonsense = b"not a model"
    (folder / card.path).write_bytes(nonsense)
    text = (folder / "card.toml").read_text()
    digest = hashlib.sha256(nonsense).hexdigest()
    (folder / "card.toml").write_text(text.replace(card.sha256, digest))

    with pytest.raises(ModelError, match="does not load"):
        load_model(folder)


def test_a_card_cannot_point_outside_its_folder(folder: Path):
    card = read_card(folder)
    text = (folder / "card.toml").read_text()
    (folder / "card.toml").write_text(text.replace(f'"{card.path}"', f'"../../{card.path}"'))

    assert load_model(folder).card.name == card.name
