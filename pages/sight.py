"""What runs, commands, orders and notifications are shown with, from the plant."""

from app.core.equipment import unit_of
from app.plant import Plant
from pages.widgets.upkeep.sight import UpkeepSight
from pages.widgets.workflow.command_row import Sight
from pages.widgets.workflow.run_row import Around
from pages.widgets.workflow.words import step_titles, title_of


def sight_of(plant: Plant) -> Sight:
    """Return what commands are shown with, as of now."""
    return Sight(
        unit_of=lambda path: plant.tags.unit(unit_of(path)),
        zone=plant.settings.site.timezone,
        now=plant.clock.now(),
    )


def upkeep_sight_of(plant: Plant) -> UpkeepSight:
    """Return what orders and notifications are shown with, as of now."""
    return UpkeepSight(plant.tags.unit_name, plant.settings.site.timezone, plant.clock.now())


def around_of(plant: Plant) -> Around:
    """Return what runs are shown with, as of now."""
    return Around(
        titles=titles_of(plant),
        steps={
            entry.name: step_titles(entry.workflow)
            for entry in plant.workflows.catalogue()
            if entry.workflow
        },
        name_of=plant.tags.unit_name,
        zone=plant.settings.site.timezone,
        now=plant.clock.now(),
    )


def titles_of(plant: Plant) -> dict[str, str]:
    """Return the titles of workflows by name; of those that can be started."""
    return {
        entry.name: title_of(entry.workflow)
        for entry in plant.workflows.catalogue()
        if entry.workflow
    }
