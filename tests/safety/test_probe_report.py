"""The report of a red-team loop and its page: rates, clusters, and what got better and worse."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from page_reader import HOSTILE, read_page
from shoal.errors import StoreError, TrainingError
from shoal.reports import to_html, write_report
from shoal.safety.probing import ProbeReport, read_probe_report
from shoal.safety.probing.claims import ProbeClaim
from shoal.safety.probing.clusters import ProbeCluster
from shoal.safety.probing.comparing import LossComparison, ProbeComparison
from shoal.safety.probing.result import ProbedModel, ProbeGroup
from shoal.statistics import Control, CorrectedShare, sign_flip


def share(value):
    return CorrectedShare(
        raw=value + 0.05, raw_low=value, raw_high=value + 0.1, corrected=value, low=max(0.0, value - 0.1),
        high=value + 0.1, confidence=0.95, method="Rogan-Gladen",
    )  # fmt: skip


def group(what="harmful, all", value=0.5, **changes):
    given = {"probes": 1200, "empty": 3, "failed": None if value is None else share(value)}
    return ProbeGroup(what=what, **{**given, **changes})


def cluster(name="lock, door", example="How do I open a lock?"):
    return ProbeCluster(name=name, example=example, seeds=4, probes=20, failures=8, failed=share(0.4))


def model(name="before tuning", number=0, *groups, **changes):
    given = {
        "test": groups or (group(), group("harmless, all", 0.1)),
        "train": (),
        "clusters": (),
        "curated": 0,
        "held_out_loss": None,
    }
    return ProbedModel(name=name, round=number, **{**given, **changes})


def comparison(what="harmful, all", mended=30, broken=2, adjusted=0.001):
    return ProbeComparison(
        first="before tuning", second="after round 1", what=what, probes=100, mended=mended, broken=broken,
        p_value=adjusted / 2, adjusted=adjusted,
    )  # fmt: skip


LOSS = LossComparison(
    first="before tuning", second="after round 1", before=2.0, after=2.5, difference=sign_flip([0.5, 0.4, 0.6] * 4)
)


def report(*models, **changes):
    given = {
        "model": "folder/model",
        "comparisons": (),
        "claims": (),
        "losses": (),
        "seeds": {"harmful, test": 6},
        "mutations": ("fiction",),
        "error_rates": {"sensitivity": 0.9},
        "confidence": 0.95,
        "notes": ("A harmful probe fails where it is not refused.",),
    }
    return ProbeReport(models=models or (model(),), **{**given, **changes})


TUNED = report(
    model(clusters=(cluster(), cluster("poison", "b")), held_out_loss=2.0),
    model("after round 1", 1, group(value=0.1), group("harmless, all", None, probes=0, empty=40), held_out_loss=2.5),
    comparisons=(comparison(), comparison("harmless, all", 1, 20, 0.004), comparison("harmful, role", 3, 3, 1.0)),
    losses=(LOSS,),
)


@pytest.fixture(scope="module")
def page():
    return read_page(to_html(TUNED))


def test_every_rate_stands_raw_and_corrected(page):
    assert page.rows("Test probes that fail") == [
        ["before tuning", "harmful, all", "1,200", "3", "55.0%", "50.0%", "40.0% to 60.0%"],
        ["before tuning", "harmless, all", "1,200", "3", "15.0%", "10.0%", "0.0% to 20.0%"],
        ["after round 1", "harmful, all", "1,200", "3", "15.0%", "10.0%", "0.0% to 20.0%"],
    ]
    assert "Harmful answers to test probes" not in page.tables


def test_the_result_names_what_got_better_and_what_got_worse(page):
    assert page.part(".result") == (
        "On seeds that are never learned from, 50.0% of the harmful probes and 10.0% of the harmless probes fail "
        "before tuning; 10.0% of the harmful probes fail after round 1. Significantly better "
        "in the end: harmful, all. Significantly worse: harmless, all; held-out "
        "loss."
    )
    assert page.part(".details") == "A harmful probe fails where it is not refused."
    assert page.part("h1") == "Probes of folder/model"


def test_clusters_stand_with_their_words_and_their_middle(page):
    assert page.rows("Harmful seeds of which a probe failed") == [
        ["lock, door", "How do I open a lock?", "8", "20", "40.0%", "30.0% to 50.0%"],
        ["poison", "b", "8", "20", "40.0%", "30.0% to 50.0%"],
    ]


def test_every_test_stands_with_its_direction(page):
    assert page.rows("McNemar's exact test") == [
        ["before tuning to after round 1", "harmful, all", "30", "2", "100", "0.001", "better"],
        ["before tuning to after round 1", "harmless, all", "1", "20", "100", "0.004", "worse"],
        ["before tuning to after round 1", "harmful, role", "3", "3", "100", "1", "not significant"],
    ]
    (row,) = page.rows("Held-out loss of harmless instructions")
    assert row[:3] == ["before tuning to after round 1", "2.0000", "2.5000"]
    assert row[-1] == "worse"


def test_harm_stands_where_it_was_scored():
    found = report(model("m", 0, group(harm=share(0.2), unscored=4)))
    page = read_page(to_html(found))
    assert page.rows("Harmful answers to test probes") == [
        ["m", "harmful, all", "25.0%", "20.0%", "10.0% to 30.0%", "4"]
    ]
    assert "harmful answers to" in str(found)
    assert "20.0% [10.0%, 30.0%], 4 without a score" in str(found)
    unusable = report(model("m", 0, group(unscored=4)))
    assert read_page(to_html(unusable)).rows("Harmful answers to test probes") == [
        ["m", "harmful, all", "-", "-", "-", "4"]
    ]
    assert "no scores of 4" in str(unusable)


def test_a_loop_that_only_probes_has_no_comparisons():
    page = read_page(to_html(report()))
    assert page.part(".result") == (
        "On seeds that are never learned from, 50.0% of the harmful probes and 10.0% of the harmless probes fail "
        "before tuning."
    )
    assert "changes" not in {attrs["id"] for attrs in page.all("section")}


def test_the_report_is_printed_with_what_changed():
    lines = str(TUNED).splitlines()
    assert lines[0].startswith("failures of folder/model on seeds that are never learned from")
    text = "\n".join(lines)
    assert "50.0% [40.0%, 60.0%] of 1200" in text
    assert "no answers" in text
    assert "harmful, all: better, 30 mended and 2 broken of 100 (p = 0.001 adjusted)" in text
    assert "harmful, role" not in text
    assert "held-out loss 2.0000 to 2.5000 (worse;" in text
    assert "Nothing else that was measured got significantly worse." not in text
    assert "lock, door" in text
    same = report(model(), model("after round 1", 1))
    assert "Nothing else that was measured got significantly worse." in str(same)


def test_changes_are_those_between_the_first_and_the_last_model():
    assert [one.what for one in TUNED.changes("better")] == ["harmful, all"]
    assert TUNED.changes("worse") == [TUNED.comparisons[1], LOSS]
    assert report(model(), model("third", 2), comparisons=(comparison(),)).changes("better") == []


def test_the_report_is_json_and_a_frame():
    record = json.loads(json.dumps(TUNED.to_dict()))
    assert record["models"][0]["test"][0]["failed"]["corrected"] == 0.5
    assert "harm" not in record["models"][0]["test"][0]
    assert [one["direction"] for one in record["comparisons"]] == ["better", "worse", "not significant"]
    assert record["seeds"] == {"harmful, test": 6}
    frame = TUNED.to_frame()
    assert len(frame) == 4
    assert frame["corrected"].isna().tolist() == [False, False, False, True]


def test_names_seeds_and_notes_are_text():
    found = report(model(HOSTILE, 0, clusters=(cluster(HOSTILE, HOSTILE),)), model=HOSTILE, notes=(HOSTILE,))
    page = read_page(to_html(found))
    wanted = " ".join(HOSTILE.split())
    assert page.rows("Harmful seeds of which a probe failed")[0][:2] == [wanted, wanted]
    assert page.part(".details") == wanted


def test_the_folder_of_a_loop_is_reported_as_the_loop_was(tmp_path):
    claim = ProbeClaim(
        claim="fewer", first="before tuning", second="after round 1", verdict="underpowered", estimate=-0.2,
        low=-math.inf, high=0.1, confidence=0.975, p_value=0.4, smallest_effect=0.1, detectable=None, seeds=3,
        controls=(Control(name="empty", passed=True, says="few are empty", numbers={"share": 0.0}),),
    )  # fmt: skip
    found = replace(TUNED, claims=(claim,), models=(*TUNED.models, model("m", 2, group(harm=share(0.2), unscored=4))))
    with pytest.raises(TrainingError, match="has no report yet"):
        read_probe_report(tmp_path)
    (tmp_path / "report.json").write_text(json.dumps(found.to_dict()))
    (tmp_path / "probing.json").write_text("{}")
    assert read_probe_report(tmp_path) == found
    assert write_report(tmp_path).read_text(encoding="utf-8") == to_html(found)
    (tmp_path / "report.json").write_text('{"model": "m"}')
    with pytest.raises(StoreError, match="is no report of a red-team loop"):
        read_probe_report(tmp_path)
