"""What looking costs: a forward pass that is captured against the plain one, in processor seconds.

Both run the same model on the same ids in turn, so that a busy machine slows both. One line a model and length; JSON in
bench-out/insight.json. The first captured pass, whose memory is fresh from the system, is told apart: later ones use
what earlier ones have freed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import torch

from shoal.insight import capture
from shoal.models import load_model

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 2.2
WHAT = {
    "attention weights": ["blocks.*.attention.weights"],
    "all attention": ["blocks.*.attention"],
    "residual stream": ["blocks.*.residual_out"],
}

MODELS = ("bundled:searches", "Llama of width 288", "GPT-2 124M", "SmolLM2's shape")


def main() -> int:
    """Measure, print, write; the exit code says whether all attention stays below the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=MODELS, action="append", help="of these models alone")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.only or MODELS:
        model, lengths = _model(name)
        for length in lengths:
            for what, patterns in WHAT.items():
                ratio = _ratio(model, length, patterns, options.rounds)
                rows.append({"model": name, "tokens": length, "captured": what, **ratio})
                said = f"{ratio['ratio']:.2f} times, the first {ratio['first']:.2f}"
                print(f"{name:24} {length:5} tokens  {what:18} {said}", flush=True)
                (ROOT / "bench-out").mkdir(exist_ok=True)
                (ROOT / "bench-out" / "insight.json").write_text(json.dumps(rows, indent=2))
    return int(any(row["ratio"] > LIMIT for row in rows))


def _model(name: str):
    """The bundled model, or a shape with fresh weights; and lengths for it."""
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    if name == "bundled:searches":
        return load_model(name).model, (128, 512, 1024)
    if name == "GPT-2 124M":
        return GPT2LMHeadModel(GPT2Config()).eval(), (256, 1000)
    sizes = {"max_position_embeddings": 2048}
    if name == "Llama of width 288":
        sizes |= {"hidden_size": 288, "intermediate_size": 768, "num_hidden_layers": 6, "num_attention_heads": 6}
        return LlamaForCausalLM(LlamaConfig(**sizes, vocab_size=4096)).eval(), (128, 512, 1024)
    sizes |= {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "vocab_size": 49152}
    return LlamaForCausalLM(LlamaConfig(**sizes, num_attention_heads=9, num_key_value_heads=3)).eval(), (128, 512, 1024)


def _ratio(model, length: int, patterns: list[str], rounds: int) -> dict[str, float]:
    """Median of the ratios of neighbouring passes, and the seconds of the plain one."""
    ids = torch.randint(5, model.config.vocab_size, (1, length))
    _pass(model, ids)
    first, *pairs = [_pair(model, ids, patterns) for _ in range(rounds + 1)]
    return {
        "ratio": statistics.median(captured / plain for plain, captured in pairs),
        "plain_cpu_seconds": statistics.median(plain for plain, _ in pairs),
        "captured_cpu_seconds": statistics.median(captured for _, captured in pairs),
        "first": first[1] / first[0],
    }


def _pair(model, ids: torch.Tensor, patterns: list[str]) -> tuple[float, float]:
    """CPU-seconds of a plain pass and of a captured one after it."""
    plain = _pass(model, ids)
    with capture(model, patterns):
        return plain, _pass(model, ids)


@torch.inference_mode()
def _pass(model, ids: torch.Tensor) -> float:
    start = time.process_time()
    model(ids, use_cache=False)
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
