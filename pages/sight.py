"""What commands are shown with, from the plant."""

from app.core.equipment import unit_of
from app.plant import Plant
from pages.widgets.workflow.command_row import Sight


def sight_of(plant: Plant) -> Sight:
    """Return it as of now."""
    return Sight(
        unit_of=lambda path: plant.tags.unit(unit_of(path)),
        zone=plant.settings.site.timezone,
        now=plant.clock.now(),
    )
