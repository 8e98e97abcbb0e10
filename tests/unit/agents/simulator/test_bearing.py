"""The defect frequencies are those published for the SKF 6205."""

import pytest

from agents.simulator.bearing import SKF_6205


@pytest.mark.parametrize(
    ("order", "published"),
    [
        (SKF_6205.outer_order, 3.585),
        (SKF_6205.inner_order, 5.415),
        (SKF_6205.ball_order, 2.357),
        (SKF_6205.cage_order, 0.398),
    ],
)
def test_orders_agree_with_the_published_ones(order: float, published: float) -> None:
    assert order == pytest.approx(published, abs=6e-4)
