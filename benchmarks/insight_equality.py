"""What is seen inside a model beside what transformers itself says of it, number by number.

    python -m benchmarks.insight_equality [--model SPEC ...]

Four architectures with fresh weights of a spread that trained ones have, and stories260K of the shared data; further
models by spec. Of each: the largest difference of attention weights and hidden states from `output_attentions` and
`output_hidden_states`, in float32 with the eager kernel; of what is computed beside the fused kernel in float64, where
rounding hides nothing, and in float32, where two kernels round the residual stream in two ways; whether the captured
pass gives the same logits to the last bit; whether the lens at the last layer is the logits; and whether patching
everything restores the other run. JSON in bench-out/insight_equality.json.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.processes import DATA, write_result
from shoal.insight import capture, find_parts, run_patched
from shoal.insight.logits import find_unembedding
from shoal.models import load_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

LIMIT = 1e-6
LENGTHS = (96, 61)
SPREAD = 0.15
SHAPE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4}


def main() -> int:
    """Compare on every model, print, write; the exit code says whether all is equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", default=[], help="a further model spec")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name, model in _models(options.model):
        row = {"model": name, **_compare(model)}
        rows.append(row)
        print(
            f"{name:24} attention {row['attention']:.1e} (float32, eager), beside {row['kernel']} "
            f"{row['attention_beside']:.1e} (float64) {row['attention_kernels']:.1e} (float32); hidden states "
            f"{row['hidden']:.1e}; logits {_yes_or_no(row['same_logits'])}; lens {row['lens']:.1e}; patched "
            f"{_yes_or_no(row['restored'])}; hooks left {row['hooks_left']}",
            flush=True,
        )
        write_result("insight_equality", {"models": rows})
    return int(not all(map(_equal, rows)))


def _yes_or_no(same: bool) -> str:
    return "to the last bit" if same else "DIFFER"


def _equal(row: dict[str, Any]) -> bool:
    """Whether a model's numbers are all those of the framework."""
    near = max(row["attention"], row["attention_beside"], row["hidden"], row["lens"]) <= LIMIT
    return bool(near and row["same_logits"] and row["restored"] and not row["hooks_left"])


def _models(specs: list[str]) -> Iterator[tuple[str, PreTrainedModel]]:
    """The architectures, then the real models."""
    import transformers

    kinds: dict[str, dict[str, Any]] = {
        "GPT2": {"n_embd": 64, "n_layer": 4, "n_head": 4},
        "GPTNeoX": SHAPE,
        "Llama": SHAPE | {"num_key_value_heads": 2},
        "Gemma2": SHAPE | {"num_key_value_heads": 2, "head_dim": 16, "sliding_window": 16},
    }
    for kind, settings in kinds.items():
        torch.manual_seed(0)
        config = getattr(transformers, f"{kind}Config")(vocab_size=500, **settings)
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0.0, SPREAD)
        yield kind, model
    folder = DATA / "stories260K"
    yield "stories260K", load_model(f"{folder}/stories260K.bin?tokenizer={folder}/tok512.model").model
    for spec in specs:
        yield spec[-24:], load_model(spec).model


def _compare(model: PreTrainedModel) -> dict[str, Any]:
    """All differences of one model."""
    model.float()
    kernel = model.config._attn_implementation
    draws = torch.Generator().manual_seed(0)
    ids = torch.randint(3, model.config.vocab_size, (2, max(LENGTHS)), generator=draws)
    mask = (torch.arange(ids.shape[1]) < torch.tensor(LENGTHS)[:, None]).long()
    before = len(_traces(model))
    found: dict[str, Any] = {"kernel": kernel, "same_logits": _same_logits(model, ids, mask)}
    found["lens"] = _lens(model, ids)
    found["restored"] = _restored(model, ids)
    found["hooks_left"] = len(_traces(model)) - before  # from here on transformers leaves hooks of its own
    found["hidden"] = _hidden(model, ids, mask)
    found["attention_kernels"] = _attention(model, ids, mask)
    found["attention"] = _attention(model, ids, mask)
    model.double().set_attn_implementation(kernel)
    found["attention_beside"] = _attention(model, ids, mask)
    return found


@torch.no_grad()
def _run(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor, **options: Any) -> Any:
    return model(ids, attention_mask=mask, use_cache=False, **options)


def _hidden(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> float:
    """The residual stream against `output_hidden_states`."""
    states = _run(model, ids, mask, output_hidden_states=True).hidden_states
    with capture(model, ["*"]) as seen:
        _run(model, ids, mask)
    names = [f"blocks.{number}.residual_in" for number in range(len(states) - 1)]
    return max(
        float((seen[name] - state).abs().max()) for name, state in zip([*names, "final_norm"], states, strict=True)
    )


def _same_logits(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> bool:
    plain = _run(model, ids, mask).logits
    with capture(model, ["*"]):
        return torch.equal(_run(model, ids, mask).logits, plain)


def _attention(model: PreTrainedModel, ids: torch.Tensor, mask: torch.Tensor) -> float:
    """The weights against `output_attentions`, which only the eager kernel gives; the model is left with that."""
    with capture(model, ["blocks.*.attention.weights"]) as seen:
        _run(model, ids, mask)
    model.set_attn_implementation("eager")
    theirs = _run(model, ids, mask, output_attentions=True).attentions
    return max(
        float((ours[row, :, :length] - weights[row, :, :length]).abs().max())
        for ours, weights in zip(seen.values(), theirs, strict=True)
        for row, length in enumerate(LENGTHS)
    )


@torch.no_grad()
def _lens(model: PreTrainedModel, ids: torch.Tensor) -> float:
    """The unembedding of the last residual stream against the logits."""
    parts = find_parts(model)
    last = f"blocks.{len(parts.blocks) - 1}.residual_out"
    with capture(model, [last]) as seen:
        logits = model(ids, use_cache=False).logits
    return float((find_unembedding(parts).logits(seen[last]) - logits).abs().max())


@torch.no_grad()
def _restored(model: PreTrainedModel, ids: torch.Tensor) -> bool:
    """Whether the one text, with everything patched from the other, is answered as that is."""
    with capture(model, ["embedding"]) as seen:
        other = model(ids[:1], use_cache=False).logits[0]
    return torch.equal(run_patched(model, ids[1], dict(seen), range(ids.shape[1])), other)


def _traces(model: PreTrainedModel) -> list[Any]:
    """Every hook, replaced method and registered function that looking could leave."""
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    hooks = [hook for part in model.modules() for hook in (*part._forward_hooks, *part._forward_pre_hooks)]
    own = [name for part in model.modules() for name in ("_attn", "forward") if name in vars(part)]
    return [*hooks, *own, *ALL_ATTENTION_FUNCTIONS._local_mapping]


if __name__ == "__main__":
    sys.exit(main())
