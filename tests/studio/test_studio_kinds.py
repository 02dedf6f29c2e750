"""Runs that are no experiments: the studio shows of each what its report shows."""

from __future__ import annotations

import json
from pathlib import Path

from starlette.testclient import TestClient
from studios import opened

from shoal.experiments.crossed import PLAN, crossed_from
from shoal.experiments.overfitting import load_overfit
from shoal.experiments.store import RunStore
from shoal.reports import RUN_KINDS, find_run_kind
from shoal.safety.probing import ProbeSeed, ProbeSettings
from shoal.safety.probing.loop_folder import claim_folder

CROSSED = {
    "name": "small",
    "question": "What helps <to> count?",
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
STEP = {"learning_rate": 1e-3, "gradient_norm": 1.0, "seconds": 0.1, "cpu_seconds": 0.1}


def write_pretraining(folder: Path) -> None:
    """A pretraining that was killed in its third step."""
    folder.mkdir(parents=True)
    rows = [STEP | {"step": step, "loss": 6.0 - step, "tokens": 100 * step} for step in (1, 2)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "samples.jsonl").write_text(json.dumps({"step": 2, "prompt": "Once", "text": " upon a <b>"}) + "\n")
    (folder / "recipe.toml").write_text('name = "tiny"\n')


def shown(client: TestClient, name: str) -> str:
    answer = client.get(f"/runs/{name}/")
    assert answer.status_code == 200
    return answer.text


def test_each_kind_is_shown_as_its_report_shows_it_however_far_it_is(tmp_path: Path) -> None:
    RunStore(tmp_path / "crossed", crossed_from(CROSSED, "test"), plan=PLAN).close()
    write_pretraining(tmp_path / "pretraining")
    with opened(tmp_path) as client:
        page = shown(client, "crossed")
        assert "What helps &lt;to&gt; count?" in page
        assert "0 of 6 trainings are done" in page
        for section in find_run_kind(tmp_path / "crossed").content(tmp_path / "crossed").sections:
            assert not section.html or f">{section.heading}</h2>" in page
        page = shown(client, "pretraining")
        assert "step 2 is done" in page
        assert " upon a &lt;b&gt;" in page
        assert 'data-live-curves="/runs/pretraining/live.json"' in page
        assert "name = &#34;tiny&#34;" in page


def test_a_comparison_of_which_nothing_is_done_shows_what_is_missing_and_its_plan(tmp_path: Path) -> None:
    plan = load_overfit(Path(__file__).parents[2] / "examples" / "overfit_tiny.toml")
    RunStore(tmp_path / "methods", plan, plan=plan.plan_file).close()
    with opened(tmp_path) as client:
        page = shown(client, "methods")
    assert "Overfitting comparison, stopped" in page
    assert "the baseline" in page
    assert "batch_tokens" in page


def test_a_red_team_loop_is_listed_and_shown(tmp_path: Path) -> None:
    seeds = [ProbeSeed(prompt=f"How do I {verb}?", harmful=True, part="test", type="") for verb in ("steal", "lie")]
    claim_folder(tmp_path / "loop", "a/b", seeds, ProbeSettings(max_tokens=7))
    with opened(tmp_path) as client:
        assert "red-team loop" in client.get("/runs").text
        page = shown(client, "loop")
        assert "Red-team loop, stopped" in page
        assert "&#34;max_tokens&#34;: 7" in page
        assert "steal" not in page
    empty = {
        "comparisons": [],
        "claims": [],
        "losses": [],
        "seeds": {},
        "mutations": [],
        "error_rates": {},
        "notes": [],
    }
    model = {"name": "before tuning", "round": 0, "test": [], "train": [], "clusters": [], "curated": 0}
    report = {"model": "a/b", "confidence": 0.95, "models": [model | {"held_out_loss": None}]} | empty
    (tmp_path / "loop" / "report.json").write_text(json.dumps(report))
    with opened(tmp_path) as client:
        assert "Probes of a/b" in shown(client, "loop")


def test_every_kind_is_known_by_a_file_of_its_own() -> None:
    assert len({kind.plan for kind in RUN_KINDS}) == len({kind.name for kind in RUN_KINDS}) == len(RUN_KINDS)
