"""The text a Prometheus server scrapes."""

from app.api.exposition import Metric, Sample, counter, exposition, gauge


def test_a_value_stands_under_its_help_and_type() -> None:
    assert exposition([gauge("tags", "Tags known.", 200)]) == (
        "# HELP millwright_tags Tags known.\n# TYPE millwright_tags gauge\nmillwright_tags 200\n"
    )


def test_large_counters_keep_every_digit() -> None:
    assert "x_total 123456789012\n" in exposition([counter("x_total", "X.", 123_456_789_012)])


def test_a_hostile_label_cannot_begin_a_line_of_its_own() -> None:
    sample = Sample(1, {"agent": 'a"} 9\nmillwright_up 0 \\'})
    text = exposition([Metric("agent_up", "gauge", "Up.", (sample,))])
    assert text.splitlines()[2:] == [
        'millwright_agent_up{agent="a\\"} 9\\nmillwright_up 0 \\\\"} 1'
    ]


def test_a_metric_without_samples_still_tells_its_type() -> None:
    assert "# TYPE millwright_agent_up gauge" in exposition(
        [Metric("agent_up", "gauge", "Up.", ())]
    )
