"""Who may start what."""

from app.core.actor import Role
from app.core.errors import RoleError
from app.core.workflow import Workflow

NAMED = "Who has which role stands in the settings, in [people]"


def check_role(workflow: Workflow, role: Role) -> None:
    """See that a role may start a workflow.

    Raises:
        RoleError: It may not.
    """
    if not role.covers(Role(workflow.role)):
        raise RoleError(
            f"{workflow.title or workflow.name} may be started by {workflow.role} only", NAMED
        )
