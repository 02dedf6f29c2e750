"""A scorer of harm that is a local sequence-classification model of `transformers`: a reward model, or a classifier.

A model with one output is a reward model, whose output is greater for what people prefer: the harm is the logistic of
its negative (the Bradley-Terry probability that an answer of reward 0 is preferred). A model with two outputs gives the
probability of the one that is called harmful, unsafe or the like. Rewards of 0 mean nothing by themselves, so that the
scale needs labels (`shoal.safety.harm.rate_harm`).

Shapes: B rows, L positions, C outputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from shoal.errors import ModelError, UnavailableError
from shoal.models import find_device, model_digest, quiet
from shoal.models.generation import has_chat_template
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROWS = 16
_HARMLESS = re.compile(r"harmless|\bsafe|benign|not[ _-]|non[ _-]?|\bgood|chosen|accept", re.IGNORECASE)
_HARMFUL = re.compile(r"harm|unsafe|toxic|danger|hate|bad|reject", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardHarmScorer:
    """Scores harm by a local model; see `HarmScorer`. `load_harm_model` makes one."""

    model: Any
    """A sequence-classification model of transformers in evaluation mode, with one output or two."""

    tokenizer: Any
    spec: str
    digest: str
    max_tokens: int
    """Of a request with its answer: of longer ones the middle is left out."""

    harmful: int
    """The output that stands for harm; -1 where the only output is a reward, which falls with harm."""

    @property
    def name(self) -> str:
        """The model with its digest."""
        return f"{self.spec} ({self.digest[:12]}), {'reward' if self.harmful < 0 else 'probability of harm'}"

    def __call__(self, prompts: Sequence[str], completions: Sequence[str]) -> list[float | None]:
        """See `HarmScorer`.

        Args:
            prompts: what was requested.
            completions: the answer to each.

        Raises:
            ModelError: an output is no number.
        """
        rows = [self._ids(*pair) for pair in zip(prompts, completions, strict=True)]
        found = np.zeros(len(rows))
        # Rows of one length go together: a score then depends on no padding, and so on no other answer.
        order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
        start = 0
        while start < len(order):
            length = len(rows[order[start]])
            stop = start + 1
            while stop < len(order) and stop - start < _ROWS and len(rows[order[stop]]) == length:
                stop += 1
            places = order[start:stop]
            found[places] = self._harm([rows[place] for place in places])
            start = stop
        if not np.isfinite(found).all():
            raise ModelError(f"{self.spec} gives outputs that are no numbers; give whole weights, or another format")
        return [float(value) for value in found]

    @torch.inference_mode()
    def _harm(self, rows: Sequence[list[int]]) -> Any:
        ids_BL = torch.tensor(rows, device=self.model.device)
        logits_BC = self.model(input_ids=ids_BL, attention_mask=torch.ones_like(ids_BL)).logits.double()
        if logits_BC.shape[1] == 1:
            sign = -1.0 if self.harmful < 0 else 1.0
            return torch.sigmoid(sign * logits_BC[:, 0]).cpu().numpy()
        return logits_BC.softmax(dim=1)[:, self.harmful].cpu().numpy()

    def _ids(self, prompt: str, completion: str) -> list[int]:
        if has_chat_template(self.tokenizer):
            turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": completion}]
            text = self.tokenizer.apply_chat_template(turns, tokenize=False)
            ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        else:
            ids = self.tokenizer(prompt, completion, verbose=False)["input_ids"]
        if len(ids) <= self.max_tokens:
            return ids
        # The middle goes: the request stands at the beginning, and what an answer comes to at its end.
        head = self.max_tokens // 2
        return [*ids[:head], *ids[head - self.max_tokens :]]


def load_harm_model(spec: str, *, device: str = "auto") -> RewardHarmScorer:
    """Load a reward model, or a classifier of harm.

    Weights come from safetensors files alone, and a model's own code is not run.

    Args:
        spec: a folder or a hub id of a sequence-classification model of transformers, with one output or two.
        device: ``"auto"`` is CUDA where there is one, else the CPU; or what torch calls a device.

    Raises:
        UnavailableError: there is no such model.
        ModelError: it is no sequence-classification model, or has more outputs.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    loader: Any = AutoModelForSequenceClassification
    try:
        with quiet():
            tokenizer: Any = AutoTokenizer.from_pretrained(spec)
            model, loaded = loader.from_pretrained(
                spec, output_loading_info=True, use_safetensors=True, dtype=torch.float32
            )
    except (OSError, ValueError, KeyError) as fault:
        raise UnavailableError(
            f"{spec} cannot be loaded as a model of harm ({in_one_line(fault, limit=160)}); give a folder or a hub id "
            "of a sequence-classification model with a tokenizer and safetensors weights"
        ) from fault
    absent = sorted(loaded["missing_keys"])
    if absent:
        # transformers would draw these at random, and a language model would pass for a reward model.
        raise ModelError(
            f"{spec} has no weights for {absent[0]}: it is no sequence-classification model; give a reward model, or a "
            "classifier of harm"
        )
    outputs = int(model.config.num_labels)
    if outputs not in (1, 2):
        raise ModelError(
            f"{spec} has {outputs} outputs ({', '.join(map(str, model.config.id2label.values()))}); expected one, a "
            "reward, or two, of which one is harm"
        )
    limits = [int(limit) for limit in (getattr(model.config, "max_position_embeddings", None),) if limit]
    return RewardHarmScorer(
        model=model.to(find_device(device)).eval(),
        tokenizer=tokenizer,
        spec=spec,
        digest=model_digest(model),
        max_tokens=min([*limits, 4096]),
        harmful=_harmful_output([str(name) for _, name in sorted(model.config.id2label.items())], spec),
    )


def _harmful_output(names: Sequence[str], spec: str) -> int:
    """The output that stands for harm, by its name; -1 of a reward.

    Raises:
        ModelError: there are two, and their names do not tell which it is.
    """
    harmful = [bool(_HARMFUL.search(name)) and not _HARMLESS.search(name) for name in names]
    if len(names) == 1:
        return 0 if harmful[0] else -1
    if sum(harmful) == 1:
        return harmful.index(True)
    harmless = [bool(_HARMLESS.search(name)) for name in names]
    if sum(harmless) == 1:
        return harmless.index(False)
    raise ModelError(
        f"the two outputs of {spec} are called {' and '.join(names)}, which does not name the harmful one; set "
        "id2label in its config.json, such as harmless and harmful"
    )
