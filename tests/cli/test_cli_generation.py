"""``shoal chat`` and ``shoal generate`` at the command line."""

from __future__ import annotations

import io
import json

import pytest

from chat_models import save_chat_model
from shoal.cli.main import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(save_chat_model(tmp_path_factory.mktemp("chat") / "model"))


def test_one_message_is_answered_and_the_history_goes_on(folder, tmp_path, capsys):
    history = tmp_path / "history.json"
    words = ["chat", "--model", folder, "--max-tokens", "4", "--history", str(history), "--json"]
    main([*words, "--prompt", "hi", "--system", "s"])
    first = json.loads(capsys.readouterr().out)
    main([*words, "--prompt", "more"])
    second = json.loads(capsys.readouterr().out)
    assert second["messages"][:3] == first["messages"]
    assert len(second["messages"]) == 5
    assert json.loads(history.read_text()) == second["messages"]
    assert first["completion_tokens"] == 4
    assert first["tokens_per_second"] > 0


def test_a_terminal_is_answered_line_by_line(folder, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stdin", Terminal("hi\nmore\n\n"))
    main(["chat", "--model", folder, "--max-tokens", "3"])
    out, err = capsys.readouterr()
    assert out.count("> ") == 3
    assert err.count("3 tokens, ") == 2


def test_prompts_of_a_file_become_records(folder, tmp_path, capsys):
    (tmp_path / "prompts.txt").write_text("one\ntwo\n")
    out = tmp_path / "out.jsonl"
    words = ["generate", "--model", folder, "--data", str(tmp_path / "prompts.txt"), "--max-tokens", "4"]
    main([*words, "--chat", "--system", "s", "--out", str(out), "--json"])
    summary = json.loads(capsys.readouterr().out)
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert summary["texts"] == len(records) == 2
    assert records[1]["prompt"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "two"}]
    main([*words, "--temperature", "1"])
    assert "2 texts, " in capsys.readouterr().out


def piped(raw):
    return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8")


@pytest.mark.parametrize("verb", ["chat", "generate"])
@pytest.mark.parametrize("raw", ["hé\r\nyo".encode(), "\ufeffhé\nyo\n".encode(), "hé\nyo\n".encode("utf-16")])
def test_a_text_on_standard_input_is_read_as_files_are(folder, capsys, monkeypatch, verb, raw):
    monkeypatch.setattr("sys.stdin", piped(raw))
    main([verb, "--model", folder, "--max-tokens", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert (told["texts"][0]["prompt"] if verb == "generate" else told["messages"][0]["content"]) == "hé\nyo"


@pytest.mark.parametrize("verb", ["chat", "generate"])
@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (piped(b"a\xff\n"), "standard input, line 1: byte 0xff at place 2 of the line is not UTF-8"),
        (piped(b" \n"), "is empty"),
        (None, "standard input"),
    ],
)
def test_standard_input_that_holds_no_text_is_one_line(folder, capsys, monkeypatch, verb, stdin, message):
    if stdin is not None:
        stdin.buffer.seek(0)
    monkeypatch.setattr("sys.stdin", stdin)
    with pytest.raises(SystemExit) as ending:
        main([verb, "--model", folder])
    assert ending.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_rows_of_messages_get_the_system_message_too(folder, tmp_path, capsys):
    path = tmp_path / "rows.jsonl"
    messages = [
        [{"role": "user", "content": "a"}],
        [{"role": "system", "content": "s"}, {"role": "user", "content": "b"}],
    ]
    path.write_text("".join(json.dumps({"prompt": one}) + "\n" for one in messages))
    words = ["generate", "--model", folder, "--data", str(path), "--max-tokens", "2", "--chat", "--json"]
    main([*words, "--system", "s"])
    told = json.loads(capsys.readouterr().out)["texts"]
    assert [text["prompt"][0] for text in told] == [{"role": "system", "content": "s"}] * 2
    with pytest.raises(SystemExit):
        main([*words, "--system", "other"])
    assert "begins with another system message" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["chat", "--prompt", " "], "the message is empty"),
        (["generate", "--prompt", "a", "--data", "b"], "not by both"),
        (["generate", "--prompt", "a", "--system", "b"], "--system needs --chat"),
        (["generate", "--prompt", "a", "--stop", ""], "a stop string is empty"),
        (["generate", "--prompt", "a", "--batch", "0"], "--batch is 0"),
        (["generate", "--prompt", "a", "--max-tokens", "500"], "the context is of 96"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(folder, capsys, words, message):
    with pytest.raises(SystemExit) as ending:
        main([*words, "--model", folder])
    assert ending.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("shoal: ")]
    assert message in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "can be reached by others"),
        (["--port", "70000"], "give a number from 0 to 65535"),
        (["--host", "203.0.113.1", "--api-key", "a"], "cannot be used"),
        (["--api-key", " "], "the API key is empty"),
        (["--max-body", "0"], "bytes of a request is 0"),
        (["--context", "100000000", "--slots", "1000"], "does not fit"),
        (["--context", "0"], "the context is 0"),
        (["--slots", "0"], "0 texts are generated at a time"),
    ],
)
def test_a_server_that_cannot_be_is_refused_in_one_line(folder, capsys, monkeypatch, words, message):
    monkeypatch.delenv("SHOAL_API_KEY", raising=False)
    with pytest.raises(SystemExit) as ending:
        main(["serve", "--model", folder, *(() if "--port" in words else ("--port", "0")), *words])
    assert ending.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("shoal: ")]
    assert message in line


def test_a_server_without_its_libraries_names_the_command_that_installs_them(folder, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    with pytest.raises(SystemExit):
        main(["serve", "--model", folder])
    assert "pip install 'shoal[serve]'" in capsys.readouterr().err
