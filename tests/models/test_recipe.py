from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from shoal.models import load_model

ROOT = Path(__file__).resolve().parents[2]
RECIPE = """
seed = 1
[tokenizer]
vocabulary = 300
[model]
width = 16
layers = 1
heads = 2
inner = 24
context = 128
initial_spread = 0.05
[text]
stories = "stories.txt"
zipped_stories = "stories.zip"
books = "books"
easiest_books = 1
[training]
learning_rate = 1e-3
batch_tokens = 128
context = 64
precision = "float32"
[[stages]]
tokens = 2_000
text_share = 0.5
longest_search = 4
[stages.mixture]
tale = 1
search-unary = 1
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "books").mkdir(parents=True)
    story = "One day a cat saw a dog. The dog saw the cat. They ran and ran. <|endoftext|>"
    (folder / "stories.txt").write_text(story * 40 + "Ben said one, two, three and went.<|endoftext|>")
    with zipfile.ZipFile(folder / "stories.zip", "w") as archive:
        archive.writestr("a.txt", "The sun is warm and the sea is blue.<|endoftext|>" * 40)
    (folder / "books" / "README.md").write_text("| file | title | sentence | known |\n| a.txt | A | 5.0 | 0.990 |\n")
    with zipfile.ZipFile(folder / "books" / "books.zip", "w") as archive:
        archive.writestr("books/a.txt", "\n\n\n".join(["The old bear slept all day."] * 40))
    return folder


@pytest.mark.slow
def test_the_recipe_makes_a_model_that_loads_with_its_card_and_curve(tmp_path: Path, data: Path) -> None:
    recipe, out = tmp_path / "recipe.toml", tmp_path / "model"
    recipe.write_text(RECIPE)
    command = [sys.executable, "recipes/searches.py", "--data", data, "--out", out, "--recipe", recipe]
    done = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert load_model(str(out)).parameters < 10_000
    assert (out / "recipe.toml").read_text() == RECIPE
    assert len((out / "curve.jsonl").read_text().splitlines()) > 5
    card = (out / "CARD.md").read_text()
    assert "| TinyStories V2 | 39 |" in card
    assert "Nowhere in the training text" in card
