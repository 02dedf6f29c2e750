"""The playground and the corpora of the studio."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from studios import opened, secret_of

from chat_models import save_chat_model

STORY = "Lily had a red ball. She liked to play with it in the garden. "
LAW = "The tenant shall pay the rent in advance. The landlord may terminate this agreement by notice. "


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder of runs with two corpora."""
    data = tmp_path / "runs" / "data"
    data.mkdir(parents=True)
    (data / "texts.jsonl").write_text(
        "".join(f'{{"text": "{text}"}}\n' for text in (STORY * 6 + LAW * 6, LAW, LAW, "a word <b>bold</b>"))
    )
    (data / "broken.jsonl").write_text("no json\n")
    (data / "link.txt").symlink_to("/etc/passwd")
    return tmp_path / "runs"


def test_of_a_long_document_the_beginning_is_shown(texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.studio.pages.corpus.MAX_CHARACTERS", 10)
    with opened(texts) as client:
        assert "has 1 document and more, of which these are the first" in client.get("/data?corpus=1").text


def test_a_corpus_is_shown_with_its_documents_and_duplicates(texts: Path) -> None:
    with opened(texts) as client:
        assert "2 corpora can be looked at." in client.get("/data").text
        assert "link.txt" not in client.get("/data").text
        page = client.get("/data?corpus=1").text
        assert "texts.jsonl has 4 documents" in page
        assert "&lt;b&gt;bold" in page
        assert "<b>bold" not in page
        assert "Documents that match: 1" in client.get("/data?corpus=1&search=BALL").text
        broken = client.get("/data?corpus=0")
        assert broken.status_code == 422
        assert client.get("/data?corpus=../x").status_code == 200
        assert client.get("/data/segments?corpus=9").status_code == 404
        assert client.get("/data/segments?corpus=1&document=99").status_code == 404


@pytest.mark.slow
def test_a_document_is_shown_in_its_segments(texts: Path) -> None:
    with opened(texts) as client:
        page = client.get("/data/segments?corpus=1&document=0").text
        assert "texts.jsonl, document 0" in page
        assert "Lily had a red ball." in page


def test_what_the_playground_cannot_use_is_refused_in_one_line(client: TestClient) -> None:
    page = client.get("/playground").text
    secret = secret_of(page)
    assert "bundled:searches" in page
    for wrong, status in (
        ({"text": "Hello", "model": "/etc/passwd"}, 404),
        ({"text": "Hello", "model": "random:bundled:searches"}, 404),
        ({"text": "  ", "model": "bundled:searches"}, 400),
        ({"text": "x" * 20_001, "model": "bundled:searches"}, 400),
    ):
        assert client.post("/playground", data={"secret": secret} | wrong).status_code == status


@pytest.mark.slow
def test_a_text_is_shown_with_what_the_model_and_the_shortcuts_make_of_it(client: TestClient) -> None:
    secret = secret_of(client.get("/playground").text)
    text = "Please count up in unary, starting at 1 and stopping at 11111:"
    form = {"secret": secret, "text": text, "model": "bundled:searches", "task": "counting", "tokens": "12"}
    page = client.post("/playground", data=form).text
    for heading in (
        "Continuation",
        "Rule and shortcuts",
        "Change points",
        "Attention",
        "Tokens and surprisal",
        "Layers",
    ):
        assert f">{heading}</h2>" in page
    assert " 1 11 111 1111 11111" in page
    other = client.post("/playground", data=form | {"text": "Once upon a time", "neurons": "yes"}).text
    assert "is no prompt of the task &#39;counting&#39;" in other
    assert ">Neurons</h2>" in other


@pytest.mark.slow
def test_the_quality_filters_show_what_they_remove(texts: Path) -> None:
    with opened(texts) as client:
        assert client.get("/data/quality?corpus=1").status_code == 200


@pytest.fixture(scope="module")
def chat_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with a chat template."""
    return save_chat_model(tmp_path_factory.mktemp("chat") / "model")


def test_a_conversation_is_read_with_what_came_before_until_it_is_cleared(tmp_path: Path, chat_folder: Path) -> None:
    with opened(tmp_path / "runs", models=[str(chat_folder)]) as client:
        page = client.get("/playground").text
        form = {
            "secret": secret_of(page),
            "model": str(chat_folder),
            "tokens": "4",
            "system": "Be brief.",
            "history": "[]",
        }

        def sent(**more: str) -> str:
            answer = client.post("/playground/conversation", data=form | more)
            assert answer.status_code == 200
            return answer.text

        def history(text: str) -> str:
            return html.unescape(text.partition('name="history" value="')[2].partition('"')[0])

        first = sent(message="I am <b>Bo")
        assert "A conversation of 2 messages" in first
        assert "<b>Bo" not in first
        messages = json.loads(history(first))
        assert [one["role"] for one in messages] == ["user", "assistant"]
        second = sent(message="Hi", history=history(first))
        assert json.loads(history(second))[:2] == messages
        assert "A conversation of 4 messages" in second
        # The template of the model, with all messages before and the instructions.
        read = html.unescape(second.partition("<pre")[2].partition("</pre>")[0])
        for part in (
            "<start>system\nBe brief.<stop>",
            "<start>user\nI am <b>Bo<stop>",
            "<start>assistant\n",
        ):
            assert part in read
        assert "The conversation has become too long" in sent(message="x" * 90, history=history(second))
        refused = sent(message="refuse", history=history(second))
        assert 'role="alert"' in refused
        assert ">refuse</textarea>" in refused
        assert history(refused) == history(second)
        cleared = sent(message="", history=history(second), clear="yes")
        assert "An empty conversation." in cleared
        assert history(cleared) == "[]"
        plain = sent(model="bundled:searches", message="Hello", history=history(first))
        assert "bundled:searches has no chat template, so that it cannot read a conversation" in plain
        assert history(plain) == history(first)
        assert "The message is empty" in sent(message="  ")
        for wrong in ("{}", "nonsense", '[{"role": "system", "content": "x"}]', '[{"role": "user", "content": 3}]'):
            answer = client.post("/playground/conversation", data=form | {"message": "x", "history": wrong})
            assert answer.status_code == 400
