"""The page of a crossed experiment: a sentence per hypothesis, then the picture, then the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from every_page import crossed_result

from shoal.figures import EffectRow, effects_chart, to_svg
from shoal.reports import crossed_page, to_html

if TYPE_CHECKING:
    from pathlib import Path


def test_the_verdicts_come_first_then_the_picture_then_the_table() -> None:
    html = crossed_page(crossed_result())
    places = [html.index(text) for text in ("✓</span> Supported", "?</span> Underpowered", "<svg", 'id="hypotheses"')]
    assert places == sorted(places)
    assert "Pretraining helps &lt;a lot&gt;." in html
    assert "optimizer steps: 20 and 5" in html
    assert to_html(crossed_result()) == html


def test_an_open_interval_is_drawn_as_an_arrow() -> None:
    row = EffectRow(label="few", series=0, estimate=0.1, low=None, high=None, smallest=(0.05,))
    svg = to_svg(effects_chart([row], axis="effect"))
    assert "◂" in svg
    assert "▸" in svg
    assert "interval unbounded to unbounded" in svg


@pytest.mark.parametrize("width", [350, 950])
def test_each_effect_has_its_interval_what_matters_and_its_blocks(width: int) -> None:
    row = EffectRow(
        label="more", series=2, estimate=0.2, low=0.1, high=0.3, smallest=(-0.05, 0.05), blocks=(("task a", 0.15),)
    )
    svg = to_svg(effects_chart([row], axis="effect", width=width))
    for text in ("more: +0.200, interval +0.100 to +0.300", "task a: +0.150"):
        assert text in svg
    assert svg.count("┊") == 2


def test_a_run_that_is_not_finished_says_how_far_it_is(tmp_path: Path) -> None:
    from shoal.experiments.crossed import PLAN, crossed_from
    from shoal.experiments.store import RunStore
    from shoal.reports import write_report

    table = {
        "name": "small",
        "seeds": 3,
        "model": "a/b",
        "task": {"name": "counting"},
        "split": {"name": "last-digit"},
        "factors": {"pretraining": ["pretrained", "random"]},
        "hypotheses": [
            {
                "name": "one",
                "claim": "It helps.",
                "factor": "pretraining",
                "treatment": "pretrained",
                "baseline": "random",
                "smallest_effect": 0.1,
            }
        ],
        "measure": {"primary": "exact_match"},
    }
    RunStore(tmp_path / "run", crossed_from(table, "test"), plan=PLAN).close()
    html = write_report(tmp_path / "run").read_text(encoding="utf-8")
    assert "0 of 6 trainings are done" in html
    assert "told apart from all others" in html
