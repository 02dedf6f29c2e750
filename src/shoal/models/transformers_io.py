"""Calls of `transformers` that build a model or save one, with its noise held back and its faults in one line.

What must hold of the result before a number of it can be trusted is checked here, too. A model is saved as a whole
folder or not at all.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError
from shoal.files import atomic_folder
from shoal.textfiles import read_json_object
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast


def check_tokenizer(tokenizer: PreTrainedTokenizerFast, embeddings: int, origin: str) -> None:
    """Raise where a tokenizer cannot serve a model.

    Args:
        tokenizer: of the model.
        embeddings: how many ids the model has.
        origin: names the model in the error message.

    Raises:
        ModelError: it has no end token, or ids beyond the embeddings.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError(f"the tokenizer of {origin} has no end token; set eos_token in its tokenizer_config.json")
    highest = max(tokenizer.get_vocab().values())
    if highest >= embeddings:
        raise ModelError(
            f"the tokenizer of {origin} has ids up to {highest}, but the model has {embeddings} embeddings; "
            "give the tokenizer that the model was trained with"
        )


def check_finite(model: PreTrainedModel, origin: str) -> None:
    """Raise where a weight is not a finite number.

    Args:
        model: with its weights.
        origin: names it in the error message.

    Raises:
        CorruptModelError: with the name of the first such weight.
    """
    import torch

    for name, weight in model.named_parameters():
        # A sum is not finite where a term is not; the costly look at each term is taken only then.
        if not torch.isfinite(weight.detach().sum(dtype=torch.float64)) and not torch.isfinite(weight).all():
            dtype = str(weight.dtype).removeprefix("torch.")
            raise CorruptModelError(f"{name} of {origin} holds a value that is not a finite number in {dtype}")


# Masks and angles that older releases stored with the weights and newer ones compute.
_OLD_BUFFER = re.compile(r"\.(attn|attention)\.(masked_)?bias$|\brotary_emb\.inv_freq$")


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back the progress bars and reports of `transformers`; shoal checks what they would report, and raises."""
    from transformers.utils import logging

    confidence, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(confidence)
        if bars:
            logging.enable_progress_bar()


def causal_class(config: PreTrainedConfig, where: str) -> type[PreTrainedModel]:
    """The class of `transformers` for a configuration's causal language model.

    Args:
        config: of the model.
        where: names it in the error message.

    Raises:
        ModelError: the architecture is none that predicts the next token from those before it.
    """
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    )

    stated = getattr(config, "architectures", None) or []
    if not isinstance(stated, (list, tuple)):
        raise ModelError(f"{where} has architectures = {stated!r} in its config.json; expected a list of names")
    named = list(stated)
    masked = MODEL_FOR_MASKED_LM_MAPPING_NAMES.get(config.model_type)
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING or (named and named == [masked]):
        what = ", ".join(map(str, named)) or config.model_type
        raise ModelError(f"{where} is not a causal language model ({what}); give one, such as a GPT or a Llama")
    model_class: type[PreTrainedModel] = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    return model_class


def build_model(
    config: PreTrainedConfig, weights: Mapping[str, torch.Tensor], dtype: torch.dtype, where: str
) -> PreTrainedModel:
    """A model from its weights by name. Every weight must be there, and no other.

    `transformers` is given tensors and no path, so that it opens no file, whatever a configuration names.

    Args:
        config: of the model.
        weights: by name.
        dtype: of the model.
        where: names it in the error message.

    Raises:
        CorruptModelError: weights are missing, unknown, of the wrong shape, or not finite.
        ModelError: the architecture cannot be built.
    """
    model_class = causal_class(config, where)
    try:
        with quiet():
            model, report = model_class.from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=dtype,
                local_files_only=True,
                # So that a wrong shape is reported with its name, below, and not raised as a page of text.
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except Exception as error:  # a configuration may be wrong in any way
        raise ModelError(f"{where} cannot be built: {in_one_line(error)}") from error
    _check_report(report, where)
    check_finite(model, where)
    return model


def _check_report(report: Mapping[str, Any], where: str) -> None:
    """Raise where `transformers` filled in weights or left some aside, which it does with no more than a warning."""
    faults = []
    for kind, word in (("missing_keys", "lacks"), ("unexpected_keys", "has unknown"), ("mismatched_keys", "misfits")):
        named = {str(key[0] if isinstance(key, tuple) else key) for key in report[kind]}
        keys = sorted(key for key in named if kind != "unexpected_keys" or not _OLD_BUFFER.search(key))
        if keys:
            more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
            faults.append(f"{word} {', '.join(keys[:2])}{more}")
    if faults:
        raise CorruptModelError(f"the weights of {where} are not those of its config.json: it {'; '.join(faults)}")


_GENERATION = "generation_config.json"


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> Path:
    """Write config.json, model.safetensors and the tokenizer's files into a folder, which `load_model` takes.

    They are written beside it first, so that a fault leaves the old folder, or none, and never a half. The model's
    settings for generating text are written as they are, whether or not `transformers` would take them for sound.

    Args:
        model: whose weights are written as they are.
        tokenizer: written beside it.
        folder: new, or one with a model, which is replaced.

    Raises:
        ModelError: the folder holds something else than a model, or cannot be written, for example for want of space.
    """
    target = Path(folder)
    _check_target(target)
    try:
        with atomic_folder(target) as fresh, quiet():
            with _plain_settings(model) as settings:
                model.save_pretrained(fresh)
            (fresh / _GENERATION).write_text(settings, encoding="utf-8")
            tokenizer.save_pretrained(fresh)
            _open_to_readers(fresh)
    except Exception as error:  # transformers refuses what it does not like with any kind of error
        raise ModelError(f"the model cannot be saved as {target}: {in_one_line(error)}") from error
    return target


def check_saving(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> None:
    """Raise where `save_model` would, so that it is known before a training. The weights alone are not tried.

    Args:
        model: as for `save_model`.
        tokenizer: as for `save_model`.
        folder: as for `save_model`.

    Raises:
        ModelError: as `save_model` does.
    """
    _check_target(Path(folder))
    try:
        with tempfile.TemporaryDirectory() as trial, quiet():
            model.config.save_pretrained(trial)
            tokenizer.save_pretrained(trial)
    except Exception as error:  # transformers refuses what it does not like with any kind of error
        raise ModelError(
            f"a model like this one could not be saved: {in_one_line(error)}; mend that in its folder first"
        ) from error


def _check_target(target: Path) -> None:
    if target.exists() and not _holds_model(target) and (target.is_file() or any(target.iterdir())):
        raise ModelError(
            f"{target} holds something else than a model; give a new folder, or one with a model to replace"
        )


def _holds_model(folder: Path) -> bool:
    """Whether a folder's config.json is a model's: programs of every kind have a file of that name."""
    return "model_type" in (read_json_object(folder / "config.json") or {})


@contextmanager
def _plain_settings(model: PreTrainedModel) -> Iterator[str]:
    """Take away the settings for generating text for a while; they are given as the JSON of their own file.

    `transformers` loads a model whose settings contradict each other (a temperature without sampling), and people
    publish such models; it refuses to save one.
    """
    generation = model.generation_config
    settings = generation.to_diff_dict() if generation is not None else {}
    model.generation_config = type(generation)() if generation is not None else None
    try:
        yield json.dumps(settings, indent=2, sort_keys=True, default=str) + "\n"
    finally:
        model.generation_config = generation


def _open_to_readers(folder: Path) -> None:
    """Give all files the mode of config.json: safetensors files are written for their owner's eyes alone."""
    mode = (folder / "config.json").stat().st_mode
    for path in folder.iterdir():
        path.chmod(mode)
