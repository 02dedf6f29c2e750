"""Every page of the studio, with runs that are whole, damaged, of another version, and removed while they are shown."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from filelock import FileLock
from starlette.testclient import TestClient
from studios import opened, secret_of

from run_folder import HOSTILE, write_run
from shoal.errors import StoreError, UsageError
from shoal.studio import BackgroundStudio, make_settings

DRAWS = pytest.mark.slow
"""All figures of a run are drawn before the damage is met."""


def until(client: TestClient, path: str, words: str) -> str:
    """A page as soon as it has some words: the index is read by a thread."""
    for _ in range(200):
        page = client.get(path).text
        if words in page:
            return page
        time.sleep(0.05)
    raise AssertionError(f"{words!r} never came on {path}")


def test_the_list_shows_state_verdict_and_effect_of_each_run(client: TestClient) -> None:
    page = until(client, "/runs", "4 runs: 2 finished")
    assert 'href="/runs/group~1second/"' in page
    assert "✗ refuted" in page
    assert "damaged" in page
    assert page.count('type="checkbox"') == 2
    page = client.get("/runs?verdict=refuted&sort=name").text
    assert "1 run shown, of 4." in page
    assert 'aria-sort="ascending"' in page
    assert "No run matches." in client.get("/runs?search=nothing-has-this-name").text


def test_a_run_is_shown_with_the_sections_of_its_report(client: TestClient) -> None:
    page = client.get("/runs/first/").text
    assert "Supported</p>" in page
    for heading in ("Accuracy", "Learning curves", "Certificate", "How to reproduce", "Every item"):
        assert f">{heading}</h2>" in page
    assert "action='/runs/first/items'" in page
    assert 'data-live-curves="/runs/first/live.json"' in page


def test_items_are_searched_without_a_script(client: TestClient) -> None:
    page = client.get("/runs/first/items?training=random%2C+seed+1&outcome=wrong&search=UNARY").text
    assert "random, seed 1, after training" in page
    assert "of 12 items match, 0 of them right" in page
    assert "✗ wrong" in page
    assert "✓ right" not in page


def test_two_runs_are_compared_by_paired_tests_and_by_items(client: TestClient) -> None:
    page = client.get("/compare?run=first&run=first&arm=pretrained&arm=random").text
    assert "first (random) has less exact match than first (pretrained): difference" in page
    assert "item right in more seeds of" in page or "items right in more seeds of" in page
    assert "McNemar" in page
    # An arm goes with the run that stands at its place, also where a run stands twice; one arm is that of all.
    page = client.get("/compare?run=first&run=first&run=group/second&arm=random&arm=pretrained&arm=random").text
    assert "group/second (random)" in page
    assert "group/second (pretrained)" not in page
    page = client.get("/compare?run=first&run=group/second&arm=random").text
    assert "group/second (random)" in page
    assert "against first (random)" in page
    assert page.count('<option value="random" selected>') == 2
    assert client.get("/compare?run=first&run=first&run=group/second&arm=random&arm=random").status_code == 400
    page = client.get("/compare?run=first&run=group/second").text
    assert "No held-out item is right in more seeds" in page


def test_runs_that_cannot_be_compared_are_refused_with_the_reason(client: TestClient) -> None:
    answer = client.get("/compare?run=first&run=unfinished")
    assert answer.status_code == 422
    assert "not" in answer.text
    assert client.get("/compare?run=first").status_code == 400
    assert client.get("/compare?run=first&run=nothing").status_code == 404


def test_damaged_runs_have_a_clear_page(client: TestClient) -> None:
    answer = client.get("/runs/damaged/")
    assert "This run cannot be shown in full" in answer.text
    assert "verdict.json is damaged" in answer.text
    assert "action='/runs/damaged/items'" in answer.text


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("verdict.json", '{"verdict": "supported"}'),
        ("verdict.json", "[]"),
        pytest.param("certificate.json", '{"passed": true}', marks=DRAWS),
        pytest.param("choices.json", '{"learning_rates": {"random": 3}}', marks=DRAWS),
        pytest.param("narrowness.json", "{}", marks=DRAWS),
        ("arms/random/seed-0/after.jsonl", '{"split": "seen"}\n'),
        ("arms/random/seed-0/curve.jsonl", '{"step": 1}\n'),
        ("experiment.toml", 'name = "of another version"'),
        ("experiment.toml", "\x00"),
        pytest.param("environment.json", "{", marks=DRAWS),
    ],
)
def test_records_of_another_version_or_half_written_are_never_a_fault_of_the_server(
    tmp_path: Path, file: str, text: str
) -> None:
    root = tmp_path / "runs"
    folder = write_run(root / "odd", seeds=1, largest=3, verdict=None)
    (folder / file).write_text(text)
    with opened(root) as client:
        for path in ("/runs", "/runs/odd/", "/runs/odd/items", "/runs/odd/live.json", "/compare?run=odd&run=odd&arm=a"):
            answer = client.get(path)
            assert answer.status_code in (200, 400, 404, 422), (path, answer.text[-2000:])


def test_a_run_that_is_removed_while_it_is_open_has_a_clear_page(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    write_run(root / "gone", seeds=1, largest=3, verdict=None)
    with opened(root) as client:
        until(client, "/runs", "gone")
        assert client.get("/runs/gone/items").status_code == 200
        shutil.rmtree(root / "gone")
        for path in ("/runs/gone/", "/runs/gone/items", "/runs/gone/live.json", "/runs/gone/report.html"):
            assert client.get(path).status_code == 404
        until(client, "/runs", "No run yet")


def test_text_of_a_run_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    folder = write_run(root / "<b>bold", seeds=1, largest=3, verdict=None)
    plan = (folder / "experiment.toml").read_text()
    (folder / "experiment.toml").write_text(plan.replace("Pretrained beats", json.dumps(HOSTILE)[1:-1] + " beats"))
    with opened(root) as client:
        page = until(client, "/runs", "&lt;b&gt;bold")
        assert "<script>alert" not in page
        assert "<b>bold" not in page
        assert "<script>alert" not in client.get(f"/runs?search={HOSTILE}").text


def test_a_run_under_way_shows_its_progress_and_only_what_is_new(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    folder = write_run(root / "busy", seeds=2, largest=3, verdict=None)
    with FileLock(folder / ".lock"), opened(root) as client:
        answer = client.get("/runs/busy/live.json").json()
        assert answer["state"] == "running"
        assert 0 < answer["done"] <= answer["total"]
        assert not answer["can_resume"]
        assert len(answer["curves"]) == 4
        again = client.get("/runs/busy/live.json", params={"cursor": answer["cursor"]})
        assert again.json()["curves"] == []
        assert len(again.content) < 1200
        until(client, "/live", 'data-live="/runs/busy/live.json"')
        assert client.post("/runs/busy/stop", data={"secret": secret_of(client.get("/start").text)}).status_code == 409


def test_a_run_whose_folder_is_there_is_not_started_twice(client: TestClient) -> None:
    secret = secret_of(client.get("/start").text)
    form = {"secret": secret, "plan": "shipped-counting", "preset": "quick", "name": "first", "workers": "1"}
    answer = client.post("/start", data=form)
    assert answer.status_code == 409
    assert "resume that run" in answer.text
    for wrong, status in (({"plan": "/etc/passwd"}, 404), ({"name": "../x"}, 400), ({"workers": "0"}, 400),
                          ({"name": "new", "preset": "nosuch"}, 422)):  # fmt: skip
        assert client.post("/start", data=form | wrong).status_code == status


def test_a_read_only_studio_starts_nothing_and_writes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    write_run(root / "held", seeds=1, largest=3, verdict=None)
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with opened(root, read_only=True) as client:
        page = until(client, "/runs", "held")
        assert 'href="/start"' not in page
        assert client.get("/start").status_code == 403
        secret = secret_of(client.get("/playground").text)
        assert client.post("/runs/held/resume", data={"secret": secret}).status_code == 403
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_two_studios_on_one_folder_are_refused_unless_one_only_reads(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "runs")
    with BackgroundStudio(settings) as first:
        with pytest.raises(StoreError, match="another studio serves"), BackgroundStudio(settings):
            pass
        with BackgroundStudio(make_settings(tmp_path / "runs", read_only=True)) as second:
            assert first.address != second.address
    with BackgroundStudio(settings):
        pass


def test_settings_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for wrong in (
        {"folder": tmp_path / "file"},
        {"folder": tmp_path, "token": "short"},
        {"folder": tmp_path, "corpora": [tmp_path / "none"]},
        {"folder": tmp_path / "no", "read_only": True},
    ):
        with pytest.raises(UsageError):
            make_settings(**wrong)  # type: ignore[arg-type]


def test_the_events_of_a_run_stand_on_its_page_with_the_documents_of_a_spike(tmp_path: Path) -> None:
    from shoal.training.watch import Watch

    folder = write_run(tmp_path / "runs" / "one", seeds=1, largest=3)
    place, watch = folder / "arms" / "random" / "seed-0", Watch()
    watch.observe(3, loss=float("nan"), batch={"tales <7>": "x y " * 9}, document_losses=[9.5])
    rows = [{"step": 2, "kind": "plateau", "text": "step 2: plateau of loss"}, watch.events[0].to_dict()]
    (place / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with opened(tmp_path / "runs") as client:
        finished = client.get("/runs/one/").text
        # As long as it trains they stand below its curves, where a script adds to them.
        (folder / "verdict.json").unlink()
        growing = client.get("/runs/one/").text
    assert "random, seed 0: step 3: divergence of loss: nan" in finished
    assert "random, seed 0: batch of step 3: 1 of 1 documents, highest loss first" in finished
    assert "tales &lt;7&gt;" in finished
    assert "<li>step 2, random, seed 0: plateau of loss</li>" not in finished
    assert "<li>step 2, random, seed 0: plateau of loss</li>" in growing
    assert "<li>step 3, random, seed 0: divergence of loss: nan<ul>" in growing
    assert "<li>tales &lt;7&gt; (loss 9.5, 18 tokens, 100% repeated): x y" in growing
