"""Vectors of sentences from any sentence-transformers folder or hub id, without that library.

The folder's ``modules.json`` names what is done with the states of the transformer: pooling, and perhaps scaling to
length 1. Sentences are batched by length, padded on the right and masked, so that a sentence's vector does not depend
on its neighbours beyond the rounding of a matrix product. Source: Reimers and Gurevych (2019), EMNLP, section 3.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, DataError, ModelError
from shoal.models.digests import model_digest, tokenizer_digest
from shoal.models.folder import FolderSource, check_weights, read_json, read_json_list, read_weights
from shoal.models.sources import hub_folder
from shoal.models.spec import parse_spec
from shoal.models.transformers_io import quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_TOKEN_BUDGET = 4096
_DEFAULT_LENGTH = 512
_POOLINGS = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
_NEEDED = ("Transformer", "Pooling")
_KNOWN = (*_NEEDED, "Normalize")


class SentenceEncoder:
    """A sentence-transformers model.

    Args:
        spec: a folder as sentence-transformers writes it, or its hub id (``org/name`` or ``org/name@revision``).
        device: what torch calls a device.

    Raises:
        ModelError: the folder is not there, or needs a module that is not known here.
        UnavailableError: a hub id that is neither cached nor reachable.
        UnsafeModelError: the weights are a pickle.
        CorruptModelError: a file is cut short or is not of its kind.
    """

    def __init__(self, spec: str | Path, *, device: str = "cpu") -> None:
        folder = _find_folder(str(spec))
        modules = _read_modules(folder)
        # At the top in most folders, and in older ones in a folder of its own.
        source = FolderSource(folder / modules["Transformer"])
        self._prompt = _read_prompt(folder)
        self._pooling = _read_pooling(folder / modules["Pooling"], prompted=bool(self._prompt))
        self._normalizes = "Normalize" in modules
        self._tokenizer = source.tokenizer()
        self._model = _build(source).to(device).eval()
        self._length, self._lower = _read_settings(source.folder, self._model, self._tokenizer)
        self.digest = self._find_digest()
        """SHA-256 of everything that a vector depends on beside the sentence, as 64 hexadecimal characters."""

    def _find_digest(self) -> str:
        reading = [tokenizer_digest(self._tokenizer), self._length, self._lower]
        prompt = [self._prompt] if self._prompt else []
        known = [model_digest(self._model), *reading, self._pooling, self._normalizes, *prompt]
        return hashlib.sha256(json.dumps(known).encode()).hexdigest()

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of sentences (N by D) in their order; of no sentences, an array of no rows.

        As sentence-transformers does it, white space around a sentence is left out, and where the folder names a prompt
        that stands before every sentence, it does here.

        Raises:
            DataError: a sentence has no tokens.
        """
        import numpy as np
        import torch

        ids = [self._ids(sentence) for sentence in sentences]
        vectors = np.zeros((len(ids), int(self._model.config.hidden_size)), dtype=np.float32)
        with torch.inference_mode():
            for places in _batches([len(row) for row in ids]):
                vectors[places] = self._encode_batch([ids[place] for place in places]).cpu().numpy()
        return vectors

    def _ids(self, sentence: str) -> list[int]:
        text = (self._prompt + sentence).strip()
        text = text.lower() if self._lower else text
        ids: list[int] = self._tokenizer(text, truncation=True, max_length=self._length)["input_ids"]
        if not ids:
            raise DataError(f"the sentence {sentence[:40]!r} has no tokens, so that it has no vector; leave it out")
        return ids

    def _encode_batch(self, rows: list[list[int]]) -> torch.Tensor:
        import torch

        length = max(len(row) for row in rows)
        device = self._model.device
        ids_BL = torch.tensor([row + [0] * (length - len(row)) for row in rows], device=device)
        mask_BL = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows], device=device)
        states_BLD = self._model(input_ids=ids_BL, attention_mask=mask_BL).last_hidden_state.float()
        pooled_BD = _pool(states_BLD, mask_BL, self._pooling)
        return torch.nn.functional.normalize(pooled_BD, dim=1) if self._normalizes else pooled_BD


def _pool(states_BLD: torch.Tensor, mask_BL: torch.Tensor, pooling: str) -> torch.Tensor:
    """One vector per sentence, padding left out."""
    if pooling == "cls_token":
        return states_BLD[:, 0]
    mask_BL1 = mask_BL[:, :, None].to(states_BLD.dtype)
    if pooling == "max_tokens":
        return states_BLD.masked_fill(mask_BL1 == 0, float("-inf")).amax(dim=1)
    count_B1 = mask_BL1.sum(dim=1)
    total_BD = (states_BLD * mask_BL1).sum(dim=1)
    return total_BD / (count_B1 if pooling == "mean_tokens" else count_B1.sqrt())


def _batches(lengths: list[int]) -> list[list[int]]:
    """Places of sentences of like lengths, each batch within the token budget."""
    batches: list[list[int]] = []
    # In rising order, so the newest is the longest and decides the width of all.
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if batches and (len(batches[-1]) + 1) * lengths[place] <= _TOKEN_BUDGET:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches


def _find_folder(spec: str) -> Path:
    path = Path(spec).expanduser()
    if path.exists():
        return path
    parsed = parse_spec(spec)
    return hub_folder(parsed.name, parsed.revision) if parsed.kind == "hub" else path


def _read_modules(folder: Path) -> dict[str, str]:
    """The folder of each kind of module."""
    path = folder / "modules.json"
    if not path.is_file():
        raise ModelError(f"{folder} has no modules.json; expected a folder as sentence-transformers writes it")
    rows = read_json_list(path)
    modules = {str(row.get("type", "")).rpartition(".")[2]: str(row.get("path", "")) for row in rows}
    unknown = sorted(set(modules) - set(_KNOWN))
    absent = [name for name in _NEEDED if name not in modules]
    if unknown or absent:
        raise ModelError(
            f"{path} names {', '.join(unknown) or f'no {absent[0]}'}; known modules are {', '.join(_KNOWN)}"
        )
    for name in _NEEDED:
        place = (folder / modules[name]).resolve()
        # A path in a file from elsewhere could name any file of this machine.
        if folder.resolve() not in (place, *place.parents):
            raise ModelError(f"{path} names the folder {modules[name]!r}, which does not lie in {folder}")
    return modules


def _read_prompt(folder: Path) -> str:
    """What stands before every sentence; empty where the folder names nothing."""
    path = folder / "config_sentence_transformers.json"
    config = read_json(path) if path.is_file() else {}
    name = config.get("default_prompt_name")
    if name is None:
        return ""
    prompts = config.get("prompts")
    prompt = prompts.get(name) if isinstance(prompts, dict) else None
    if not isinstance(prompt, str):
        raise ModelError(f"{path} names the prompt {name!r} for every sentence, and has no such text in prompts")
    return prompt


def _read_pooling(folder: Path, *, prompted: bool) -> str:
    config = read_json(folder / "config.json")
    if prompted and config.get("include_prompt") is False:
        raise ModelError(f"{folder} pools without the tokens of the prompt, which is not done here")
    chosen = [name for name in _POOLINGS if config.get(f"pooling_mode_{name}")]
    if len(chosen) != 1:
        raise ModelError(f"{folder} pools by {chosen or 'nothing known'}; expected one of {', '.join(_POOLINGS)}")
    return chosen[0]


def _read_settings(folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> tuple[int, bool]:
    """How many tokens of a sentence are read, and whether it is put in lower case first."""
    path = folder / "sentence_bert_config.json"
    stated = read_json(path) if path.is_file() else {}
    # Position embeddings may be more than can be read: RoBERTa's first two stand for padding.
    rooms = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    length = stated.get("max_seq_length") or min((room for room in rooms if room), default=_DEFAULT_LENGTH)
    return int(length), bool(stated.get("do_lower_case"))


def _build(source: FolderSource) -> PreTrainedModel:
    """The transformer of a folder; every weight but a head's on top must be there."""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    config = source.config()
    if type(config) not in MODEL_MAPPING:
        raise ModelError(f"transformers has no plain model for the {config.model_type} of {source.folder}")
    weights: dict[str, Any] = {}
    for path in check_weights(source.folder):
        weights |= read_weights(path)
    model_class: Any = MODEL_MAPPING[type(config)]
    try:
        with quiet():
            model, report = model_class.from_pretrained(
                None, config=config, state_dict=weights, local_files_only=True, output_loading_info=True
            )
    except Exception as error:  # a configuration may be wrong in any way
        raise ModelError(f"{source.folder} cannot be built: {in_one_line(error)}") from error
    # The pooler of BERT is a head for training, which sentence-transformers does not read.
    missing = sorted(name for name in report["missing_keys"] if "pooler" not in name)
    if missing:
        raise CorruptModelError(f"the weights of {source.folder} lack {missing[0]}, which its config.json needs")
    built: PreTrainedModel = model
    return built
