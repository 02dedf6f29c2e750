"""Answers with human labels: XSTest's, and files of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import DataError
from shoal.safety.answers import read_answers
from shoal.safety.head_training import LabelledAnswer

if TYPE_CHECKING:
    import os


def read_xstest(folder: str | os.PathLike[str]) -> list[LabelledAnswer]:
    """The answers of XSTest's models with their final human label.

    Source: Röttger et al. (2024), "XSTest: a test suite for identifying exaggerated safety behaviours in large language
    models", NAACL; github.com/paul-rottger/exaggerated-safety.

    Args:
        folder: holds ``completions/xstest_v2_completions_MODEL_*.csv.gz``, as in the repository.

    Raises:
        DataError: there are no such files, or a row has no label.
    """
    files = sorted((Path(folder) / "completions").glob("xstest_v2_completions_*.csv*"))
    if not files:
        raise DataError(f"{folder} has no completions/xstest_v2_completions_MODEL.csv; give the folder of XSTest")
    found: list[LabelledAnswer] = []
    for path in files:
        model = path.name.removeprefix("xstest_v2_completions_").split("_")[0].split(".")[0]
        found += read_labelled_answers(path, model=model)
    return found


def read_labelled_answers(path: str | os.PathLike[str], *, model: str) -> list[LabelledAnswer]:
    """The labelled answers of a file, to train a head from.

    Args:
        path: as `read_answers` takes it.
        model: who wrote the answers.

    Raises:
        DataError: the file cannot be read, or an answer has no label.
    """
    found = []
    for place, answer in enumerate(read_answers(path), start=1):
        if answer.label is None:
            raise DataError(f"{path}, row {place} has no label; give each row compliance, refusal or partial")
        found.append(
            LabelledAnswer(
                prompt=answer.prompt,
                completion=answer.completion,
                label=answer.label,
                model=model,
                # The text itself: files of different models then share their prompts, which the folds hold out
                # together.
                prompt_id=answer.prompt,
            )
        )
    return found
