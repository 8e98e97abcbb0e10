"""What a declaration of a unit may say."""

import msgspec
import pytest

from app.core.equipment import Equipment, Tag, check_equipment
from app.core.errors import TopicError


@pytest.mark.parametrize("field", ["plan", "target"])
def test_a_plan_that_is_no_tag_of_the_unit_is_refused(field: str) -> None:
    tag = msgspec.structs.replace(Tag("site/area/line/unit/energy"), **{field: "nowhere"})
    with pytest.raises(TopicError, match=f'{field} of tag .*"nowhere" is no tag of its unit'):
        check_equipment(Equipment("site/area/line/unit", "Unit", tags=(tag,)))


def test_a_tag_may_name_the_tag_that_plans_it() -> None:
    tags = (
        Tag("site/area/line/unit/energy", plan="energy_plan"),
        Tag("site/area/line/unit/energy_plan"),
    )
    check_equipment(Equipment("site/area/line/unit", "Unit", tags=tags))
