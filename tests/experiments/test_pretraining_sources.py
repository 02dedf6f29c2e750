"""Data sets of the hub are read at a commit: the newest when a run is begun, and then the same to its end."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from shoal.corpora import HubSet, parse_hub, pin
from shoal.errors import UnavailableError, UsageError
from shoal.experiments.pretraining import pretrain_run, recipe_from
from shoal.experiments.pretraining.documents import corpus_key, pinned_source, prepare_documents, read_texts

COMMITS = ("a" * 40, "b" * 40)


class _Hub(ThreadingHTTPServer):
    """The hub's answer to what a data set is; it knows one, whose main branch can move."""

    commit = COMMITS[0]


class _Answer(BaseHTTPRequestHandler):
    server: _Hub

    def do_GET(self) -> None:
        known = self.path.startswith("/api/datasets/org/set")
        body = {"id": "org/set", "sha": self.server.commit} if known else {"error": "Repository not found"}
        raw = json.dumps(body).encode()
        self.send_response(200 if known else 404)
        if not known:
            self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Any:
    server = _Hub(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield server
    server.shutdown()
    server.server_close()


def corpus(source: str) -> Any:
    tables = {"corpus": [{"name": "h", "source": source, "column": "story", "held_out": 0.2}]}
    shape = {"model": {"width": 16, "layers": 1, "heads": 2, "context": 16}, "tokenizer": {"vocabulary": 280}}
    quick = {"training": {"tokens": 600, "batch_tokens": 256, "precision": "float32"}, "evaluation": {"memorised": 0}}
    return recipe_from({"name": "small"} | tables | shape | quick, "small.toml")


def write_set(folder: Path, word: str) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(exist_ok=True)
    stories = [f"The {word} saw {n} birds and {n + 1} dogs by the old tree in the sun." for n in range(30)]
    pq.write_table(pa.table({"story": stories}), folder / "train.parquet")
    return f"hub:{folder}"


def test_a_name_has_a_revision_and_a_split() -> None:
    assert parse_hub("hub:org/set") == HubSet(name="org/set")
    assert parse_hub("hub:org/set@v2:test") == HubSet(name="org/set", revision="v2", split="test")
    assert str(parse_hub("hub:org/set@v2")) == "hub:org/set@v2:train"
    for broken in ("hub:", "hub:org/set@", "hub:org/set:a:b"):
        with pytest.raises(UsageError, match=r"give hub:org/name\[@revision\]\[:split\]"):
            parse_hub(broken)


def test_a_commit_needs_no_hub_and_a_branch_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert pin(parse_hub(f"hub:org/set@{COMMITS[0]}")).revision == COMMITS[0]
    with pytest.raises(UnavailableError, match="cannot read the hub data set 'org/set'"):
        pin(parse_hub("hub:org/set@main"))


def test_documents_of_another_commit_are_other_documents(hub: _Hub) -> None:
    table = corpus("hub:org/set").corpus[0]
    first = corpus_key(table)
    assert corpus_key(table) == first == corpus_key(corpus(f"hub:org/set@{COMMITS[0]}").corpus[0])
    hub.commit = COMMITS[1]
    assert corpus_key(table) != first
    with pytest.raises(UsageError, match="the hub has no data set hub:org/none:train"):
        corpus_key(corpus("hub:org/none").corpus[0])


def test_without_a_network_the_commit_that_was_read_last_is_taken(
    hub: _Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hub.commit in COMMITS:
        assert pinned_source("hub:org/set", tmp_path) == f"hub:org/set@{hub.commit}:train"
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert pinned_source("hub:org/set", tmp_path) == f"hub:org/set@{COMMITS[1]}:train"
    with pytest.raises(UnavailableError):
        pinned_source("hub:org/set:test", tmp_path)


def test_a_run_says_which_commit_it_read(tmp_path: Path) -> None:
    source = write_set(tmp_path / "set", "cat")
    made = corpus(source)
    pretrain_run(made, tmp_path / "run")
    pinned = json.loads((tmp_path / "run" / "sources.json").read_text())
    assert pinned == {"h": str(pin(parse_hub(source)))}
    write_set(tmp_path / "set", "fox")
    texts = list(read_texts(prepare_documents(made.corpus[0], tmp_path / "prepared")))
    assert "fox" in texts[0]
    assert "cat" not in "".join(texts)
