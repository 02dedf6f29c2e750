"""The files of examples and recipes do what their first lines say."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from doc_blocks import ROOT
from doc_commands import Command, check_parses, run_command

from chat_models import save_chat_model

SWEEPS = sorted(path.name for path in (ROOT / "examples").glob("sweep_*.toml"))
NAMED = [
    (f"{path.relative_to(ROOT)}", match[1])
    for folder in ("examples", "recipes")
    for path in sorted((ROOT / folder).glob("*.*"))
    for match in re.finditer(r"^(?:#\s+|\s*)(shoal [a-z]+ .*?)(?:\s+\(.*\))?$", path.read_text("utf-8"), re.MULTILINE)
]


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that has the examples as a checkout has them."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    outcome = run_command(Command(line=1, words=(words,), expected=""))
    assert outcome.code == 0, outcome.err
    return outcome.out


def test_commands_that_the_files_name_parse() -> None:
    assert len(NAMED) >= 8
    for place, command in NAMED:
        words = shlex.split(command)
        check_parses(words)
        files = [word.partition(":")[0] for word in words]
        assert all((ROOT / file).exists() for file in files if file.startswith(("examples/", "recipes/"))), place


@pytest.mark.parametrize(
    ("script", "says"),
    [
        pytest.param("hidden_rotation.py", r"true places \[1500\], found \[1(49|50)\d\]", marks=pytest.mark.slow),
        ("uniform_pieces.py", r"true places \[2000, 6500\], found \[(19|20)\d\d, 6[45]\d\d\]"),
    ],
)
def test_a_script_finds_the_change_that_it_drew(script: str, says: str, checkout: Path) -> None:
    assert re.match(says, run("python", f"examples/{script}", "figure.svg"))
    assert "<svg" in (checkout / "figure.svg").read_text(encoding="utf-8")


def test_a_loop_of_pytorch_is_watched(checkout: Path) -> None:
    shown = run("python", "examples/watch_loop.py", "figure.svg")
    assert "step 400: spike of loss" in shown
    assert "repeated 3 times in 1 document: ten is added to" in shown
    assert re.search(r"step \d+: plateau of loss since step \d+", shown)
    assert "<svg" in (checkout / "figure.svg").read_text(encoding="utf-8")


def test_a_question_is_shown_from_its_text_to_its_answer(tmp_path: Path) -> None:
    folder = save_chat_model(tmp_path / "model")
    shown = run("python", "examples/phi3.py", "--model", str(folder), "--max-tokens", "4")
    # The script is of Phi-3-mini, whose vectors have 3,072 numbers; the throw-away model's have 16.
    for part in (r"<start>user\nTell me a fun fact about dinosaurs.<stop>", "each of 16 numbers", "(4 tokens, "):
        assert part in shown
    assert re.search(r"the number after 1 is 1\.0078125", shown)
    assert len(re.findall(r"probability 0\.\d{3}", shown)) == 5


def test_the_sample_streams_are_drawn_as_they_lie_there(checkout: Path) -> None:
    run("python", "examples/draw_streams.py", str(checkout))
    for name in ("latency.csv", "log.tsv"):
        assert (checkout / name).read_bytes() == (ROOT / "examples" / "data" / name).read_bytes()


def test_every_sample_file_is_described_and_small() -> None:
    folder = ROOT / "examples" / "data"
    table = (folder / "README.md").read_text(encoding="utf-8")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "README.md"]
    assert [path.name for path in files if path.name not in table and f"{path.parent.name}/" not in table] == []
    assert max(path.stat().st_size for path in files) < 20_000


@pytest.mark.slow
@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_comes_to_its_end(name: str, checkout: Path) -> None:
    run("shoal", "sweep", f"examples/{name}", "--out", "swept")
    assert (checkout / "swept" / "report.html").exists()


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_file_can_be_read(name: str) -> None:
    from shoal.experiments.sweeps import load_sweep

    assert load_sweep(f"examples/{name}").sweep.keys


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "recipes").glob("*.toml")))
def test_a_recipe_can_be_read(name: str) -> None:
    import tomllib

    assert tomllib.loads((ROOT / "recipes" / name).read_text(encoding="utf-8"))
