"""Wherever a public function takes a path, it takes it as text too."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """What the rooms and their parts offer by name: functions, and the methods of classes."""
    packages = [module.name for module in pkgutil.walk_packages(shoal.__path__, "shoal.") if module.ispkg]
    for package in (name for name in ["shoal", *packages] if not name.startswith("shoal.cli")):
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if inspect.isfunction(value):
                yield f"{package}.{name}", value
            elif inspect.isclass(value) and value.__module__.startswith("shoal."):
                yield from methods(f"{package}.{name}", value)


def methods(name: str, kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public methods that a class defines; a record's own constructor takes what it is."""
    for method, value in vars(kind).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        shown = not method.startswith("_") or (method == "__init__" and not hasattr(kind, "__dataclass_fields__"))
        if inspect.isfunction(function) and shown:
            yield f"{name}.{method}", function


def test_every_public_function_that_takes_a_path_takes_text() -> None:
    refused = [
        f"{name}({parameter}: {annotation})"
        for name, function in public_functions()
        for parameter, annotation in getattr(function, "__annotations__", {}).items()
        if parameter != "return"
        and re.search(r"\bPath\b", str(annotation))
        and not re.search(r"\bstr\b", str(annotation))
    ]
    assert refused == []


def test_minimal_pairs_are_read_from_a_path_as_text(tmp_path: Path) -> None:
    from shoal.evaluation.stories import read_minimal_pairs

    archive = tmp_path / "zorro.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("agreement.txt", "the dogs are here .\nthe dogs is here .\n")
    assert read_minimal_pairs(str(archive)) == read_minimal_pairs(archive)
    assert len(read_minimal_pairs(str(archive))) == 1


def test_prompts_and_prompt_pairs_are_read_from_a_path_as_text(tmp_path: Path) -> None:
    from shoal.evaluation.stories import read_story_prompts
    from shoal.insight import read_prompt_pairs

    (tmp_path / "prompts.txt").write_text("Once upon a time\n\nOne day,\n")
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "a", "counterfactual": "b", "target": "c", "foil": "d"}\n')
    assert [prompt.text for prompt in read_story_prompts(str(tmp_path / "prompts.txt"))] == [
        "Once upon a time",
        "One day,",
    ]
    assert read_prompt_pairs(str(tmp_path / "pairs.jsonl"))[0].target == "c"


def test_tokens_are_written_to_and_opened_from_a_path_as_text(tmp_path: Path) -> None:
    from shoal.training import open_token_file, write_token_file

    folder = str(tmp_path / "tokens")
    write_token_file(folder, [[1, 2, 3], [4]], vocabulary=8)
    assert open_token_file(folder).lengths.tolist() == [3, 1]


def test_vectors_are_written_to_and_read_from_a_path_as_text(tmp_path: Path) -> None:
    from shoal.text.vectors import WordVectors
    from shoal.text.vectors.wordvectors import read_vector_file, write_vector_file

    file = str(tmp_path / "vectors.txt")
    write_vector_file(WordVectors(words=("a", "b"), matrix=np.eye(2, dtype=np.float32)), file)
    assert read_vector_file(file).words == ("a", "b")


def test_documents_are_written_to_and_read_from_a_path_as_text(tmp_path: Path) -> None:
    from shoal.corpora import read_documents, write_documents

    file = str(tmp_path / "stories.txt")
    assert write_documents([{"text": "One."}, {"text": "Two."}], file) == 2
    assert list(read_documents(file)) == ["One.", "Two."]


@pytest.mark.parametrize("kind", [str, Path])
def test_a_tuned_lens_goes_to_a_path_and_comes_back(tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    import torch

    from shoal.insight import TunedLens

    lens = TunedLens(weight_MDD=torch.ones(1, 2, 2), bias_MD=torch.zeros(1, 2), model="digest", positions=3)
    lens.save(kind(tmp_path / "lens.safetensors"))
    assert TunedLens.load(kind(tmp_path / "lens.safetensors")).positions == 3
