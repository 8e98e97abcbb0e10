"""The table [people] of settings.toml: who may do what."""

from pydantic import Field, field_validator

from app.core.actor import Role
from app.settings_sections import Section


class PeopleSettings(Section):
    """[people]: who may do what; there is no login yet, so a name is what a person says it is."""

    roles: dict[str, Role] = Field(
        default={},
        description="Role by name: viewer, operator, supervisor or engineer; "
        "who is not named is an operator",
    )

    @field_validator("roles")
    @classmethod
    def _names(cls, value: dict[str, Role]) -> dict[str, Role]:
        for name in value:
            if name != name.strip() or not name:
                raise ValueError(f'"{name}" is no name: it is empty or begins or ends with a blank')
        return value

    def role(self, name: str) -> Role:
        """Return the role of a person; capitals make no difference."""
        wanted = name.casefold()
        named = (role for each, role in self.roles.items() if each.casefold() == wanted)
        return next(named, Role.OPERATOR)

    def named(self, role: Role) -> list[str]:
        """Return who is named in the settings and has a role, or one that covers it."""
        return sorted(name for name, each in self.roles.items() if each.covers(role))


def how_to_name(role: Role) -> str:
    """Return what to write where nobody has a role."""
    return (
        f'Write roles = {{ "your name" = "{role.value}" }} under [people] in settings.toml, '
        "start the app again, and choose that name at the top right"
    )
