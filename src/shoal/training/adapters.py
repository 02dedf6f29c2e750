"""LoRA and freezing: which weights of a model are trained.

LoRA (Hu et al. 2021, arXiv:2106.09685, section 4.1) adds to a matrix W the product B A of two narrow ones, scaled by
alpha / rank; A is drawn at random and B is 0, so that the model begins as it was. The adapters are those of ``peft``,
put into the model in place. Freezing keeps weights as they are by patterns of their names. The written-out gradient of
a Llama is for models all of whose weights are trained; with either of the two, autograd takes the gradient.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from shoal.errors import MissingExtraError, UnknownNameError, UsageError
from shoal.files import atomic_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from transformers import PreTrainedModel

    from shoal.training.settings import TrainSettings

_ALPHA_PER_RANK = 2.0
"""Of the scale alpha where none is given, as in the examples of peft: the adapters then add twice their product."""

_PREFIX = "base_model.model."
"""Before the names of weights in peft's files."""


@contextmanager
def frozen_by(model: torch.nn.Module, patterns: tuple[str, ...]) -> Iterator[None]:
    """Within it the weights whose names match are frozen; afterwards they are trained again where they were.

    Args:
        model: whose weights are frozen.
        patterns: of names, as ``model.embed_tokens.*`` or ``*.layers.0.*``.

    Raises:
        UnknownNameError: a pattern matches no name.
    """
    named = dict(model.named_parameters())
    frozen = []
    for pattern in patterns:
        found = [weight for name, weight in named.items() if fnmatchcase(name, pattern)]
        if not found:
            raise UnknownNameError("weight to freeze", pattern, tuple(named))
        frozen += [weight for weight in found if weight.requires_grad]
    for weight in frozen:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in frozen:
            weight.requires_grad_(True)


def add_adapters(model: PreTrainedModel, settings: TrainSettings) -> None:
    """Put LoRA adapters into a model in place; its own weights are frozen from then on.

    Args:
        model: any causal LM of transformers.
        settings: have the rank, the scale, the targets and the seed of the fresh adapters.

    Raises:
        MissingExtraError: peft is not installed.
        UsageError: the model has adapters already, or no module that is named by the targets.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtraError("lora", "LoRA") from error
    if has_adapters(model):
        raise UsageError("the model has adapters already; merge them (shoal.training.merge_adapters) or load it again")
    rank = settings.lora_rank
    config = LoraConfig(
        r=rank,
        lora_alpha=_ALPHA_PER_RANK * rank if settings.lora_alpha is None else settings.lora_alpha,
        # All linear layers but the head: as good as full fine-tuning where attention alone is not (Schulman 2025, LoRA
        # Without Regret).
        target_modules=list(settings.lora_targets) or "all-linear",
        task_type="CAUSAL_LM",
    )
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(settings.seed)
        try:
            with warnings.catch_warnings():
                # It adapts to GPT-2's transposed layers by itself, and warns each time.
                warnings.filterwarnings("ignore", "fan_in_fan_out")
                inject_adapter_in_model(config, model)
        except ValueError as error:
            # peft names the targets that it did not find.
            raise UsageError(
                f"lora_targets = {list(settings.lora_targets)}: no such module in {type(model).__name__}; give names "
                "of its linear layers, such as q_proj, or none for all of them"
            ) from error


def has_adapters(model: torch.nn.Module) -> bool:
    """Whether a model has adapters of peft."""
    return hasattr(model, "peft_config")


def save_adapters(model: PreTrainedModel, folder: str | os.PathLike[str], *, base: str) -> Path:
    """Write the adapters of a model as peft has them: ``adapter_config.json`` and ``adapter_model.safetensors``.

    Args:
        model: with adapters, as a training with ``lora_rank`` leaves it.
        folder: made where it does not exist.
        base: the model that they belong to: a folder, or a name of the hub.

    Returns:
        The folder.

    Raises:
        UsageError: the model has no adapters.
    """
    from safetensors.torch import save_file

    config = _config_of(model)
    from peft import get_peft_model_state_dict

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    state: dict[str, torch.Tensor] = get_peft_model_state_dict(model)
    tensors = {_PREFIX + name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with atomic_file(folder / "adapter_model.safetensors") as partial:
        save_file(tensors, partial, metadata={"format": "pt"})
    config.base_model_name_or_path, config.inference_mode = base, True
    config.save_pretrained(str(folder))
    return folder


def load_adapters(model: PreTrainedModel, folder: str | os.PathLike[str]) -> None:
    """Put adapters that `save_adapters` wrote, or peft, into the model that they belong to.

    Args:
        model: a plain one; it is changed in place, and left as it was where the adapters do not fit.
        folder: with ``adapter_config.json`` and ``adapter_model.safetensors``.

    Raises:
        MissingExtraError: peft is not installed.
        UsageError: the folder holds no adapters or not all of them, they are of another model, or the model has
            adapters already.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model, set_peft_model_state_dict
    except ImportError as error:
        raise MissingExtraError("lora", "LoRA") from error
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = Path(folder)
    if has_adapters(model):
        raise UsageError("the model has adapters already; merge them (shoal.training.merge_adapters) or load it again")
    try:
        config = LoraConfig.from_pretrained(str(folder))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise UsageError(
            f"{folder} holds no adapters of peft ({error}); give the folder of adapter_config.json"
        ) from error
    trained, fault = [weight for weight in model.parameters() if weight.requires_grad], ""
    try:
        inject_adapter_in_model(config, model)
        found = set_peft_model_state_dict(model, {name.removeprefix(_PREFIX): one for name, one in tensors.items()})
        # Adapters that the file lacks would be fresh ones, which add nothing, and nobody would see it.
        missing = [name for name in found.missing_keys if "lora_" in name]
        if found.unexpected_keys:
            fault = f"are of another model: it has no {found.unexpected_keys[0]}"
        elif missing:
            fault = f"are not whole: the file has no {missing[0]}"
    except (ValueError, RuntimeError) as error:
        fault = f"are not of {type(model).__name__}: {error}"
    if fault:
        _take_out(model)
        for weight in trained:
            weight.requires_grad_(True)
        raise UsageError(f"the adapters of {folder} {fault}")


def merge_adapters(model: PreTrainedModel) -> None:
    """Add the adapters to the weights that they belong to, and take them out: the model is a plain one again.

    Args:
        model: with adapters; all of its weights are trained again afterwards.

    Raises:
        UsageError: the model has no adapters.
    """
    _config_of(model)
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            module.merge()
    _take_out(model)
    model.requires_grad_(True)


def _take_out(model: PreTrainedModel) -> None:
    """Put the layers that adapters stand around back in their places."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer):
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, module.get_base_layer())
    if has_adapters(model):
        del model.peft_config


def _config_of(model: PreTrainedModel) -> Any:
    if not has_adapters(model):
        raise UsageError("the model has no adapters; train it with lora_rank above 0 first")
    return model.peft_config["default"]
