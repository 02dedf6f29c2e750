"""Where a model comes from: its configuration, its tokenizer and its weights, each read only when it is needed.

Files have a source each in their own module (`folder`, `gguf`, `llama2c`); here are the interface, fresh weights,
dummies and the hub.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import ModelError, UnavailableError
from shoal.models.checks import check_memory, check_runs
from shoal.models.spec import bundled_names
from shoal.models.transformers_io import quiet
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import nn
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.spec import ModelSpec


class Source(ABC):
    """One model, not yet in memory. Fresh weights take its configuration and tokenizer, and leave its weights alone."""

    origin: str
    """Where it comes from, for a person."""

    @abstractmethod
    def config(self) -> PreTrainedConfig:
        """The architecture and its sizes."""

    @abstractmethod
    def tokenizer(self) -> PreTrainedTokenizerFast:
        """The tokenizer."""

    @abstractmethod
    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The model with its weights, on the CPU."""


class RandomSource(Source):
    """The architecture and tokenizer of another source, with weights drawn by the architecture's own initialization."""

    def __init__(self, inner: Source, seed: int) -> None:
        self.inner = inner
        self.seed = seed
        self.origin = f"fresh weights (seed {seed}) in the architecture of {inner.origin}"

    def config(self) -> PreTrainedConfig:
        """That of the other source."""
        return self.inner.config()

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the other source."""
        return self.inner.tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The same weights for the same seed: they are drawn in float32 on the CPU, whatever ``dtype`` is.

        The generator of the process is left as it was.
        """
        import torch
        from transformers import AutoModelForCausalLM

        config = self.config()
        check_memory(config, self.inner.origin)
        with torch.random.fork_rng(devices=[]), quiet():
            torch.manual_seed(self.seed)
            # In float32: drawn in 16 bits the generator gives other numbers, not the same ones rounded.
            model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        check_runs(model, self.inner.origin)
        return model.to(dtype)


def shuffle_weights(model: nn.Module, generator: torch.Generator) -> None:
    """Permute the entries of every weight tensor in place; each keeps its mean, spread and shape.

    Source: the shuffled initialisation of Zhang, Backurs, Bubeck et al. (2022), "Unveiling Transformers with LEGO",
    arXiv:2206.04301, section 4 and of Raghu et al. (2019), "Transfusion", arXiv:1902.07208, section 4.2 ("mean var").

    Args:
        model: any model; tensors that are tied are shuffled once.
        generator: draws the permutations, on the CPU.
    """
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            # On the CPU wherever the weight lies: generators of other devices give other permutations.
            order = torch.randperm(weight.numel(), generator=generator).to(weight.device)
            weight.copy_(weight.flatten()[order].view_as(weight))


def jitter_weights(model: nn.Module, generator: torch.Generator) -> None:
    """Move every weight by at most one unit in its last place, in place: as far as rounding may move it.

    A training is chaotic at this size: rounding that differs from the first step on, as it does between processors and
    numbers of threads, leads to other weights at its end. Drawn by a seed, that chance is among what seeds repeat.

    Args:
        model: any model; tensors that are tied are moved once.
        generator: draws the moves, on the CPU.
    """
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            # On the CPU wherever the weight lies: generators of other devices give other draws.
            moves = torch.rand(weight.shape, generator=generator).mul_(2).sub_(1).to(weight.device)
            # In float64: in float32 the factor itself would be rounded to one of three numbers.
            factor = moves.double().mul_(torch.finfo(weight.dtype).eps).add_(1)
            weight.copy_(weight.double().mul_(factor))


class DummySource(Source):
    """A dummy with the tokenizer of another model, so that it can read any text."""

    def __init__(self, spec: ModelSpec, answers: Sequence[tuple[str, str, bool]], seed: int, speaker: Source) -> None:
        self.spec = spec
        self.answers = answers
        self.seed = seed
        self.speaker = speaker
        self.origin = f"the dummy {spec.text} (seed {seed}), given {len(answers)} answers"

    def config(self) -> PreTrainedConfig:
        """That of the dummy's own architecture."""
        return self._make()[0].config

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the other model."""
        return self.speaker.tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The dummy, which knows the answers."""
        return self._make()[0].to(dtype)

    def _make(self) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
        from shoal.models.dummies import make_dummy

        parameters: dict[str, Any] = {"seed": self.seed, **dict(self.spec.options)}
        return make_dummy(self.spec.name, pairs=self.answers, tokenizer=self.tokenizer(), **parameters)


_WANTED = ("*.json", "*.safetensors", "*.txt", "*.jinja", "tokenizer.model", "spiece.model")
"""Newer chat templates lie in a file of their own, ``chat_template.jinja``."""


def hub_folder(name: str, revision: str | None) -> Path:
    """The cached folder of a hub id; its name is the commit.

    Only configuration, tokenizer, chat template and safetensors files are fetched.

    Args:
        name: the hub id.
        revision: a branch, a tag or a commit; None for the newest.

    Raises:
        UnavailableError: it is neither cached nor reachable, or needs a login.
        ModelError: the hub has no such model or revision, or the cache cannot be written.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_WANTED)))
    except GatedRepoError as error:
        raise UnavailableError(f"{name} needs a login; accept its terms on the hub, then run: hf auth login") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"the hub has no revision {revision!r} of {name}; give a branch, a tag or a commit") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"the hub has no model {name!r}, or it is private; see its name, or run: hf auth login{_also_meant(name)}"
        ) from error
    except HFValidationError as error:
        raise ModelError(f"{name!r} cannot be a hub id: {in_one_line(error)}") from error
    except (LocalEntryNotFoundError, HfHubHTTPError) as error:
        raise UnavailableError(_unavailable(name, revision)) from error
    except OSError as error:
        raise ModelError(f"{name} cannot be written to the hub's cache: {in_one_line(error)}") from error


def _unavailable(name: str, revision: str | None) -> str:
    label, option = (f"{name}@{revision}", f" --revision {revision}") if revision else (name, "")
    return (
        f"{label} is not in the cache and the hub cannot be reached; run: hf download {name}{option} "
        f"where there is a network, or give a folder that holds the model{_also_meant(name)}"
    )


def _also_meant(name: str) -> str:
    """Of a name without an owner: that nothing here has it, and the nearest of what shoal brings with it."""
    if "/" in name:
        return ""
    from shoal.models.dummies import dummy_names

    known = {bundled: f"bundled:{bundled}" for bundled in bundled_names()} | {dummy: dummy for dummy in dummy_names()}
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f" (there is no folder {name} here" + (f"; or did you mean {known[near[0]]}?)" if near else ")")
