"""The file of generated texts: a line of JSON for each, by which an interrupted generation resumes.

A text is a function of its prompt, the settings, the weights, the number format and the tokenizer with its template and
its end tokens, so that a digest of these is its key: what is there under the key need not be computed again. Lines are
appended as texts are finished; at the end the file is written once more in the order of the prompts, so that its bytes
do not depend on what was resumed or batched.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, StoreError
from shoal.files import atomic_file
from shoal.progress import no_progress
from shoal.serving.generations import Generations, generate, generation_record
from shoal.text import opening_ids
from shoal.textfiles import finite, read_json_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping, Sequence

    from shoal.progress import Progress
    from shoal.serving.generations import Prompt
    from shoal.serving.model import GenerationModel
    from shoal.serving.result import GeneratedText
    from shoal.serving.settings import GenerationSettings


def record_key(
    prompt: Prompt, sample: int, settings: GenerationSettings, model: Mapping[str, Any], tokenizer: str
) -> str:
    """The key of a text, as 32 hexadecimal digits.

    Args:
        prompt: a text or messages.
        sample: its number among the continuations of the prompt.
        settings: what determines it.
        model: what `GenerationModel.describe` gives.
        tokenizer: what `encoding_digest` gives.
    """
    # Neither the spec nor the device: the same weights give the same texts under another path.
    named = [prompt, sample, settings.to_dict(), model["digest"], model["dtype"], tokenizer]
    # 128 bits: a collision among 10^12 texts has a probability of 10^-15.
    return _digest(named)[:32]


def encoding_digest(model: GenerationModel) -> str:
    """A digest of how texts and messages become tokens and tokens become texts, and of the tokens that end a text.

    The digest of the model says none of that: a chat template, or the end tokens of ``generation_config.json``, can
    be edited under the same weights.
    """
    tokenizer = model.tokenizer
    backend = getattr(tokenizer, "backend_tokenizer", None)
    known = sorted(tokenizer.get_vocab().items()) if backend is None else backend.to_str()
    template = getattr(tokenizer, "chat_template", None)
    return _digest([known, template, opening_ids(tokenizer), sorted(model.end_ids)])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileGenerations:
    """What was generated into a file."""

    path: str

    texts: int
    """Texts in the file."""

    generated: Generations | None
    """Those that were not there before; None where all were."""

    def to_dict(self) -> dict[str, Any]:
        """The summary as JSON has it; the texts are in the file."""
        found = {"path": self.path, "texts": self.texts, "generated": 0}
        if self.generated is None:
            return found
        speed = {name: value for name, value in self.generated.to_dict().items() if name not in ("texts", "prompts")}
        return {**found, "generated": len(self.generated.texts), **speed}

    def __str__(self) -> str:
        new = "all were there already" if self.generated is None else self.generated.summary()
        return f"{self.texts:,} texts are in {self.path}; {new}"


class TextRecords:
    """The records of one file.

    Args:
        path: the file, whose folder exists; lines of it that a kill tore are dropped.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self.known: dict[str, dict[str, Any]] = {}
        if not self._path.exists():
            return
        for where, record in read_json_lines(self._path, unfinished=True):
            if not isinstance(record, dict) or not isinstance(record.get("key"), str):
                raise DataError(f"{where} is no record of a generated text; give another file to write")
            self.known[record["key"]] = record
        # The line that a kill tore would make one broken line with the next.
        self.write(self.known)

    def append(self, record: Mapping[str, Any]) -> None:
        """Append one record, which has a key.

        Raises:
            StoreError: the file cannot be written.
        """
        try:
            # Opened for each line: a text takes far longer than that, and a kill then loses none that is finished.
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(record))
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror or error}") from error
        self.known[record["key"]] = dict(record)

    def write(self, keys: Iterable[str]) -> None:
        """Write the file once more with these records alone, in this order.

        Raises:
            StoreError: the file cannot be written.
        """
        try:
            with atomic_file(self._path) as partial:
                partial.write_text("".join(_line(self.known[key]) for key in keys), encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror or error}") from error


def _line(record: Mapping[str, Any]) -> str:
    # The log-probability of a token that is impossible is no number of JSON.
    return json.dumps(finite(record), ensure_ascii=False) + "\n"


def generate_to_file(
    model: GenerationModel,
    prompts: Sequence[Prompt],
    path: str | os.PathLike[str],
    settings: GenerationSettings,
    *,
    samples: int = 1,
    progress: Progress = no_progress,
) -> FileGenerations:
    """Continue prompts, each finished text a line of a file; what the file holds already is not computed again.

    Args:
        model: what `load_for_generation` gives.
        prompts: texts to continue, or lists of messages.
        path: a file whose folder exists.
        settings: how.
        samples: continuations per prompt.
        progress: called with the texts that are finished.

    Raises:
        DataError: the file holds something else.
        StoreError: the file cannot be written.
        ShoalError: as `generate`.
    """
    records, described, tokenizer = TextRecords(path), model.describe(), encoding_digest(model)
    keys = [
        [record_key(prompt, sample, settings, described, tokenizer) for sample in range(samples)] for prompt in prompts
    ]
    # A prompt of which one sample is missing is continued for all of them; the draws of a sample are its own.
    left = [place for place, own in enumerate(keys) if not set(own) <= records.known.keys()]

    def record(place: int, text: GeneratedText) -> None:
        prompt, sample = divmod(place, samples)
        key = keys[left[prompt]][sample]
        records.append({"key": key, **generation_record(prompts[left[prompt]], text, described)})

    found = None
    if left:
        given = [prompts[place] for place in left]
        found = generate(model, given, settings, samples=samples, on_text=record, progress=progress)
    # Equal prompts have equal keys, and a record each.
    records.write(key for own in keys for key in own)
    return FileGenerations(path=str(path), texts=len(prompts) * samples, generated=found)
