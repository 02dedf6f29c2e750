"""A folder as `transformers` writes it: config.json, safetensors files, a tokenizer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError
from shoal.models.checks import (
    PICKLE_SUFFIXES,
    check_layers,
    check_runs,
    check_shapes,
    check_values,
    held_shapes,
    nearest_path,
    refuse_own_code,
    refuse_pickle,
    refuse_pickled_weights,
)
from shoal.models.sources import Source
from shoal.models.transformers_io import build_model, quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

_GENERIC_TOKENIZERS = ("TokenizersBackend", "PreTrainedTokenizerFast")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


class FolderSource(Source):
    """A model in a folder. Nothing is read before it is needed, but what must be there is checked at once."""

    def __init__(self, folder: Path, origin: str | None = None) -> None:
        check_folder(folder)
        self.folder = folder
        self.origin = origin or str(folder)

    def config(self) -> PreTrainedConfig:
        """Raises ModelError for an architecture that `transformers` does not know."""
        from transformers import AutoConfig

        try:
            with quiet():
                config = AutoConfig.from_pretrained(self.folder, local_files_only=True, trust_remote_code=False)
        except Exception as error:  # a configuration may be wrong in any way
            raise ModelError(f"{self.folder / 'config.json'} cannot be used: {in_one_line(error)}") from error
        check_values(config, str(self.folder / "config.json"))
        return config

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """As `read_tokenizer`."""
        return read_tokenizer(self.folder)

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """Raises CorruptModelError where the weights are cut short or not those of the configuration."""
        # From the cheap checks to the costly ones: names, headers, shapes, and only then the bytes.
        paths, where = check_weights(self.folder), str(self.folder)
        config = self.config()
        shapes = held_shapes(paths)
        check_layers(config, shapes, where)
        check_shapes(config, shapes, where)
        weights: dict[str, torch.Tensor] = {}
        for path in paths:
            weights |= read_weights(path)
        model = build_model(config, weights, dtype, where)
        check_runs(model, where)
        model.name_or_path = where
        settings = self.folder / "generation_config.json"
        if settings.is_file():
            model.generation_config = read_generation(settings)
        return model


def read_generation(path: Path) -> GenerationConfig:
    """The settings for generating text that come with a model. No number of shoal's hangs on them.

    Raises:
        ModelError: `transformers` refuses them.
    """
    from transformers import GenerationConfig

    try:
        with quiet():
            return GenerationConfig.from_dict(read_json(path))
    # A file that is no JSON has its own message already.
    except CorruptModelError:
        raise
    except Exception as error:  # settings may be wrong in any way
        raise ModelError(
            f"{path} cannot be used: {in_one_line(error)}; mend that setting or remove the file"
        ) from error


def holds_tokenizer_alone(folder: Path) -> bool:
    """Whether a folder has a tokenizer and no model, as `shoal tokenizer` writes it."""
    return (folder / "tokenizer.json").is_file() and not (folder / "config.json").exists()


def read_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer in a folder.

    Raises:
        ModelError: there is none, or none of the fast kind.
        CorruptModelError: it cannot be read.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        raise ModelError(f"{folder} has no tokenizer; expected tokenizer.json, as save_pretrained writes it")
    try:
        with quiet():
            kind = PreTrainedTokenizerFast if _is_all_in_one_file(folder) else AutoTokenizer
            tokenizer = kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # the tokenizers library raises nothing narrower for a broken file
        raise CorruptModelError(f"the tokenizer of {folder} cannot be read: {in_one_line(error)}") from error
    if not tokenizer.is_fast:
        raise ModelError(f"{folder} has a slow tokenizer; expected a tokenizer.json, which offsets need")
    return tokenizer


def _is_all_in_one_file(folder: Path) -> bool:
    """Whether tokenizer.json alone determines how text is split.

    `transformers` puts the splitting of some architectures (such as Qwen 2) in the place of the file's own, even where
    the folder names no class of theirs.
    """
    settings = folder / "tokenizer_config.json"
    generic = settings.is_file() and read_json(settings).get("tokenizer_class") in _GENERIC_TOKENIZERS
    return generic and (folder / "tokenizer.json").is_file()


def check_folder(folder: Path) -> None:
    """Raise where a path is no folder that could hold a model.

    Raises:
        ModelError: it does not exist (the message names the nearest that does), is a file, or has no config.json.
        UnsafeModelError: it is a pickle or needs code of its own.
        CorruptModelError: a configuration file is not JSON.
    """
    if folder.is_file():
        refuse_pickle(folder)
        raise ModelError(f"{folder} is a file; expected a folder with config.json, or a *.gguf or llama2.c *.bin file")
    if not folder.is_dir():
        raise ModelError(f"there is no {folder}; {nearest_path(folder)}")
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} has no config.json; expected a model folder as save_pretrained writes it")
    _check_own_code(folder)


def check_weights(folder: Path) -> list[Path]:
    """The safetensors files of a folder.

    Raises:
        UnsafeModelError: all weights are pickles, or a file with a safetensors name is one.
        CorruptModelError: a file that the index names is not there.
        ModelError: there are no weights.
    """
    index = folder / "model.safetensors.index.json"
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    if index.is_file():
        weight_map = read_json(index).get("weight_map")
        names = sorted({str(name) for name in weight_map.values()}) if isinstance(weight_map, dict) else []
        # A name with a separator could leave the folder.
        absent = [name for name in names if "/" in name or "\\" in name or not (folder / name).is_file()]
        if absent or not names:
            raise CorruptModelError(f"{index} names {absent[:1] or 'no files'}, which {folder} does not hold")
        return [folder / name for name in names]
    pickles = [path for path in folder.iterdir() if path.suffix in PICKLE_SUFFIXES]
    if pickles:
        refuse_pickled_weights(folder, pickles)
    raise ModelError(f"{folder} has no weights; expected model.safetensors or model.safetensors.index.json")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        CorruptModelError: it is not one.
    """
    value = _parse_json(path)
    if not isinstance(value, dict):
        raise CorruptModelError(f"{path} holds a {type(value).__name__}; expected a JSON object")
    return value


def read_json_list(path: Path) -> list[dict[str, Any]]:
    """The objects in a JSON file that holds a list of them.

    Raises:
        CorruptModelError: it is not one.
    """
    value = _parse_json(path)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise CorruptModelError(f"{path} does not hold a list of JSON objects")
    return value


def _parse_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise CorruptModelError(f"{path} cannot be read: {in_one_line(error)}") from error


def _check_own_code(folder: Path) -> None:
    """Raise where a class is needed that only the folder's own Python files would bring."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    config = read_json(folder / "config.json")
    model_type = config.get("model_type")
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING_NAMES:
        if "auto_map" in config:
            refuse_own_code(folder / "config.json")
        raise ModelError(f"transformers knows no architecture {model_type!r}, which {folder / 'config.json'} names")
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and "auto_map" in read_json(settings) and not (folder / "tokenizer.json").is_file():
        refuse_own_code(settings)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, mapped into memory.

    Raises:
        UnsafeModelError: it is a pickle.
        CorruptModelError: it is something else, or is shorter than its header states.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    refuse_pickle(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CorruptModelError(f"{path} is not a whole safetensors file: {in_one_line(error)}") from error
