"""What persons answered in approve steps, read from what the steps gave."""

from typing import cast

from app.core.actor import Actor, Role


def is_answer(output: object) -> bool:
    """Tell whether an approve step, or an element of its for-each, was answered with yes or no."""
    return any(_verdict(each) is not None for each in _parts(output))


def agreed_by(output: object) -> Actor | None:
    """Return who agreed; of a for-each, who did so last, and only if all was agreed to."""
    parts = _parts(output)
    return agreeing(output)[-1] if parts and all(_verdict(each) for each in parts) else None


def agreeing(output: object) -> list[Actor]:
    """Return everybody who agreed, in the order of the for-each."""
    found: list[Actor] = []
    for each in _parts(output):
        match each:
            case {"approved": True, "decided_by": str() as who, "decided_role": str() as role}:
                found.append(Actor(who, "workflow", Role(role or Role.OPERATOR)))
            case _:
                continue
    return found


def _verdict(answer: object) -> bool | None:
    """Return whether an answer is a yes; None if nobody answered."""
    match answer:
        case {"approved": bool() as is_agreed, "decided_by": str()}:
            return is_agreed
        case _:
            return None


def _parts(output: object) -> list[object]:
    """Return what each element of a for-each gave, or what the step itself gave."""
    return cast("list[object]", output) if isinstance(output, list) else [output]  # JSON values
