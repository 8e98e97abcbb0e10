"""The pages of work: workflows, runs and what belongs to them share one feed of changes."""

from app.plant import Plant
from pages import (
    action_plan,
    approvals,
    command,
    commands,
    dead_letters,
    notifications,
    orders,
    run,
    runs,
    workflows,
)
from pages.work_feed import WorkFeed


def create(plant: Plant) -> None:
    """Register the pages."""
    feed = WorkFeed(plant)
    workflows.create(plant, feed)
    runs.create(plant, feed)
    run.create(plant, feed)
    approvals.create(plant, feed)
    dead_letters.create(plant, feed)
    commands.create(plant, feed)
    command.create(plant, feed)
    action_plan.create(plant, feed)
    orders.create(plant)
    notifications.create(plant)
