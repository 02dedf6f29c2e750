"""Every page of the studio is a whole document: ids once, links that lead somewhere, forms with their secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient
from studios import TOKEN, opened

from page_reader import HOSTILE, PageReader, read_page
from run_folder import write_run
from shoal.errors import UsageError
from shoal.experiments import compare_runs, flipped_items
from shoal.studio import make_settings
from shoal.studio.frame import Assets
from shoal.studio.settings import MIN_TOKEN

PATHS = [
    "/runs",
    "/runs?sort=name&order=up&search=first",
    "/runs?search=nothing",
    "/runs/first/items",
    "/runs/first/items?page=99&outcome=wrong",
    "/runs/damaged/",
    "/compare?run=first&run=first&arm=pretrained&arm=random",
    "/compare?run=first&run=group/second",
    "/compare?run=first",
    "/live",
    "/start",
    "/playground",
    "/data",
    "/no-such-page",
    "/runs/none/",
]


@pytest.fixture(scope="module")
def pages(client: TestClient) -> dict[str, PageReader]:
    return {path: read_page(client.get(path).text, served=True) for path in PATHS}


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_a_heading_the_navigation_and_a_footer(pages: dict[str, PageReader], path: str, runs: Path) -> None:
    page = pages[path]
    if page.part("h1")[:3].isdigit():
        return  # a refusal, which is drawn before it is known whose it is
    assert [len(page.all(tag)) for tag in ("header", "main", "footer")] == [1, 1, 1]
    assert str(runs) in page.part("footer")
    links = {attrs["href"] for attrs in page.all("a") if attrs.get("href", "").startswith("/")}
    assert {"/runs", "/start", "/playground", "/data"} <= links


@pytest.mark.parametrize("path", PATHS)
def test_every_address_on_a_page_can_be_opened(pages: dict[str, PageReader], path: str, client: TestClient) -> None:
    addresses = {attrs[name] for _, attrs in pages[path].tags for name in ("href", "src") if name in attrs}
    for address in sorted(addresses):
        parts = urlsplit(address)
        # What draws all figures of a run is opened by a test of its own.
        if parts.scheme or not parts.path.startswith("/") or re.fullmatch(r"/runs/[^/]+/", parts.path):
            continue
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("path", PATHS)
def test_a_form_that_changes_something_holds_the_secret(pages: dict[str, PageReader], path: str) -> None:
    page = pages[path]
    posting = [attrs for attrs in page.all("form") if attrs.get("method", "get").lower() == "post"]
    secrets = [attrs for attrs in page.all("input") if attrs.get("name") == "secret"]
    assert len(secrets) == len(posting)
    assert all(len(attrs["value"]) == 64 and attrs["type"] == "hidden" for attrs in secrets)
    assert all(attrs["action"].startswith("/") for attrs in page.all("form") if "action" in attrs)


@pytest.mark.parametrize("path", PATHS)
def test_every_control_has_a_name_that_can_be_read(pages: dict[str, PageReader], path: str) -> None:
    page = pages[path]
    labelled = {attrs["for"] for attrs in page.all("label") if "for" in attrs}
    for tag in ("input", "select", "textarea"):
        for attrs in page.all(tag):
            if attrs.get("type") in ("hidden", "submit"):
                continue
            assert attrs.get("id") in labelled or "aria-label" in attrs, (tag, attrs)


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/no-such-page", 404, "GET /no-such-page: there is no such page; begin at /runs."),
        ("/runs/none/", 404, "There is no run 'none' in"),
        ("/compare?run=first", 400, "1 run cannot be compared; check from 2 to 12 in the list."),
        ("/compare?" + "&".join(f"run=r{n}" for n in range(13)), 400, "13 runs cannot be compared"),
        ("/runs/..~1x/", 400, "'../x' is no name of a run"),
        ("/assets/none.js", 404, "There is no such file; load the page again."),
        ("/runs/unfinished/report.html", 404, "unfinished has no report yet"),
        ("/runs/first/inside/none.html", 404, "first has no views of 'none'; it may not be trained yet."),
        ("/runs?search=" + "x" * 401, 400, "Search has 401 characters; give at most 400."),
    ],
)
def test_a_refusal_is_a_page_with_its_status_and_what_to_do(
    client: TestClient, path: str, status: int, text: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    page = read_page(answer.text, served="http-equiv" not in answer.text)
    assert page.part("h1").startswith(str(status))
    assert text.casefold() in page.part(".result").casefold()


def rows_of(runs: Path, name: str, arm: str, seed: int, stage: str = "after") -> list[dict[str, object]]:
    path = runs / name / "arms" / arm / f"seed-{seed}" / f"{stage}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(("split", "outcome"), [("", ""), ("seen", ""), ("held_out", "right"), ("seen", "wrong")])
def test_items_are_those_of_the_file_with_their_counts(
    client: TestClient, runs: Path, split: str, outcome: str
) -> None:
    path = f"/runs/first/items?training=random%2C+seed+2&split={split}&outcome={outcome}"
    page = read_page(client.get(path).text, served=True)
    rows = [row for row in rows_of(runs, "first", "random", 2) if not split or row["split"] == split]
    rows = [row for row in rows if not outcome or row["exact_match"] is (outcome == "right")]
    right = sum(row["exact_match"] is True for row in rows)
    assert page.part(".result") == f"random, seed 2, after training: {right} of {len(rows)} items are right."
    assert f"{len(rows)} of 12 items match, {right} of them right." in page.text
    items = [attrs for attrs in page.all("li") if "item" in attrs.get("class", "").split()]
    assert len(items) == min(20, len(rows))
    if rows:
        assert str(rows[0]["prompt"]) in page.part(".prompt")


def test_a_choice_that_is_none_is_the_first_one(client: TestClient) -> None:
    page = read_page(client.get("/runs/first/items?training=odd&stage=odd&split=odd&page=-3").text, served=True)
    assert page.part(".result").startswith("pretrained, seed 0, after training")


def test_a_comparison_states_every_difference_of_the_function(client: TestClient, runs: Path) -> None:
    page = read_page(client.get("/compare?run=first&run=group/second").text, served=True)
    found = compare_runs(runs / "group" / "second", runs / "first")
    for row in found.differences:
        assert f"{abs(row.estimate):.3f}" in page.text, row
    assert page.part("h1") == "group/second (pretrained) against first (pretrained)"
    assert f"{found.seeds} seeds, {found.items} held-out items; the seed is the unit." in page.part(".details")
    flips = flipped_items(runs / "first", runs / "group" / "second")
    assert ("No held-out item is right in more seeds" in page.text) is (not flips)


def test_text_of_runs_and_items_cannot_break_out(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    folder = write_run(root / "odd name é", seeds=1, largest=3, verdict=None)
    rows = [row | {"prompt": HOSTILE, "completion": HOSTILE, "greedy_text": f"x{HOSTILE}", "exact_match": False}
            for row in rows_of(root, "odd name é", "random", 0)]  # fmt: skip
    file = folder / "arms" / "random" / "seed-0" / "after.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with opened(root) as client:
        answer = client.get("/runs/odd%20name%20%C3%A9/items", params={"training": "random, seed 0", "search": "größe"})
        page = read_page(answer.text, served=True)
        assert page.part(".result").endswith("0 of 3 items are right.")
        assert "onerror=alert(1)>" in page.part(".prompt")
        nothing = read_page(client.get("/runs", params={"search": HOSTILE}).text, served=True)
        assert [attrs["value"] for attrs in nothing.all("input") if attrs.get("name") == "search"] == [HOSTILE]


@pytest.mark.parametrize(
    ("text", "kind", "media"),
    [
        ("let x = 1;", "js", "text/javascript; charset=utf-8"),
        ("a{}", "css", "text/css; charset=utf-8"),
        ("é", "js", ""),
    ],
)
def test_an_asset_is_found_by_the_digest_of_its_text(text: str, kind: str, media: str) -> None:
    assets = Assets()
    address = assets.add(text, kind)
    assert address == assets.add(text, kind)
    assert re.fullmatch(rf"/assets/[0-9a-f]{{24}}\.{kind}", address)
    found = assets.find(address.removeprefix("/assets/"))
    assert found is not None
    assert found[0] == text
    assert not media or found[1] == media
    assert assets.find("none.js") is None
    assert assets.add("other", kind) != address


def test_assets_are_bounded() -> None:
    assets = Assets()
    addresses = [assets.add(f"let x = {number};", "js") for number in range(300)]
    assert assets.find(addresses[0].removeprefix("/assets/")) is not None
    assert assets.find(addresses[-1].removeprefix("/assets/")) is None
    assert assets.find(assets.style.removeprefix("/assets/")) is not None


@pytest.mark.parametrize(
    "token", ["", "x" * (MIN_TOKEN - 1), "é" * MIN_TOKEN, "x" * MIN_TOKEN + "\n", " \t" * MIN_TOKEN]
)
def test_a_token_that_could_be_guessed_or_not_be_typed_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(UsageError, match=f"the token has {len(token)} characters; give at least 16 printable ASCII"):
        make_settings(tmp_path, token=token)
    assert make_settings(tmp_path, token="x" * MIN_TOKEN).token == "x" * MIN_TOKEN


def test_a_random_token_is_drawn_where_none_is_given(tmp_path: Path) -> None:
    drawn = {make_settings(tmp_path).token for _ in range(10)}
    assert len(drawn) == 10
    assert all(len(token) >= 2 * MIN_TOKEN for token in drawn)
    assert TOKEN not in drawn


def test_settings_name_files_that_are_there(tmp_path: Path) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    for name in ("b.toml", "a.toml", "notes.txt"):
        (plans / name).write_text("")
    found = make_settings(tmp_path / "runs", examples=[plans, plans / "notes.txt"], corpora=[plans / "notes.txt"])
    assert [path.name for path in found.examples] == ["a.toml", "b.toml", "notes.txt"]
    assert found.state == (tmp_path / "runs").resolve() / ".shoal-studio"
    assert (tmp_path / "runs").is_dir()
    for wrong, message in (
        ({"folder": plans / "a.toml"}, "is a file; give the folder that holds the runs"),
        ({"folder": tmp_path / "none", "read_only": True}, "there is no folder .*none; give the folder"),
        ({"folder": tmp_path, "examples": [tmp_path / "x.toml"]}, r"there is no file .*x\.toml; check its path"),
        ({"folder": tmp_path, "corpora": [plans]}, "there is no file .*plans; check its path"),
    ):
        with pytest.raises(UsageError, match=message):
            make_settings(**wrong)  # type: ignore[arg-type]
