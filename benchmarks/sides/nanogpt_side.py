"""The published recipe of nanoGPT in plain PyTorch, on a model of Llama's shape: what a careful small loop does.

Its choices: random windows of a memory-mapped stream of 16-bit tokens, one fused product for queries, keys and values,
scaled_dot_product_attention, cross-entropy over the full logits, fused AdamW with decay on matrices alone and betas of
0.9 and 0.95, gradients clipped at 1, cosine with warm-up, autocast in bfloat16 or float32. torch.compile where it is
asked for, its time counted. Weights come from the model's folder, so both sides begin with the same ones.

    nanogpt_side.py MODEL TOKENS.bin --steps N --batch-tokens T --context L [--precision bfloat16] [--compile]
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """Attention and the gated layer, each behind a norm."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, inner = config["hidden_size"], config["intermediate_size"]
        self.heads = config["num_attention_heads"]
        self.attention_norm = nn.RMSNorm(width, eps=config["rms_norm_eps"])
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp_norm = nn.RMSNorm(width, eps=config["rms_norm_eps"])
        self.gate_up = nn.Linear(width, 2 * inner, bias=False)
        self.down = nn.Linear(inner, width, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        """One block on B × L × D."""
        rows, length, width = x.shape
        parts = self.qkv(self.attention_norm(x)).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = rotated(parts[0], cos, sin), rotated(parts[1], cos, sin), parts[2]
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, length, width))
        gate, up = self.gate_up(self.mlp_norm(x)).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)


class Model(nn.Module):
    """A Llama with tied embeddings."""

    def __init__(self, config: dict[str, Any], weights: dict[str, torch.Tensor]) -> None:
        super().__init__()
        width = config["hidden_size"]
        self.embedding = nn.Embedding(config["vocab_size"], width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))
        self.norm = nn.RMSNorm(width, eps=config["rms_norm_eps"])
        per_head = width // config["num_attention_heads"]
        base = config["rope_parameters"]["rope_theta"]
        speeds = base ** (-torch.arange(0, per_head, 2) / per_head)
        angles = torch.outer(torch.arange(config["max_position_embeddings"]), speeds).repeat(1, 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.load_state_dict(named_as_here(weights, config["num_hidden_layers"]))

    def forward(self, ids: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The mean loss."""
        x = self.embedding(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = functional.linear(self.norm(x), self.embedding.weight)
        return functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding."""
    first, second = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-second, first], dim=-1) * sin).to(x.dtype)


def named_as_here(weights: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """The weights of a transformers Llama under the names of `Model`."""
    found = {"embedding.weight": weights["model.embed_tokens.weight"], "norm.weight": weights["model.norm.weight"]}
    for place in range(layers):
        there, here = f"model.layers.{place}.", f"blocks.{place}."

        def together(*names: str, there: str = there) -> torch.Tensor:
            return torch.cat([weights[f"{there}{name}.weight"] for name in names])

        found[f"{here}attention_norm.weight"] = together("input_layernorm")
        found[f"{here}qkv.weight"] = together("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
        found[f"{here}out.weight"] = together("self_attn.o_proj")
        found[f"{here}mlp_norm.weight"] = together("post_attention_layernorm")
        found[f"{here}gate_up.weight"] = together("mlp.gate_proj", "mlp.up_proj")
        found[f"{here}down.weight"] = together("mlp.down_proj")
    return found


def named_as_there(weights: dict[str, torch.Tensor], config: dict[str, Any]) -> dict[str, torch.Tensor]:
    """The weights of a `Model` under the names of transformers."""
    found = {"model.embed_tokens.weight": weights["embedding.weight"], "model.norm.weight": weights["norm.weight"]}
    for place in range(config["num_hidden_layers"]):
        there, here = f"model.layers.{place}.", f"blocks.{place}."
        query, key, value = weights[f"{here}qkv.weight"].chunk(3)
        gate, up = weights[f"{here}gate_up.weight"].chunk(2)
        found |= {
            f"{there}input_layernorm.weight": weights[f"{here}attention_norm.weight"],
            f"{there}self_attn.q_proj.weight": query,
            f"{there}self_attn.k_proj.weight": key,
            f"{there}self_attn.v_proj.weight": value,
            f"{there}self_attn.o_proj.weight": weights[f"{here}out.weight"],
            f"{there}post_attention_layernorm.weight": weights[f"{here}mlp_norm.weight"],
            f"{there}mlp.gate_proj.weight": gate,
            f"{there}mlp.up_proj.weight": up,
            f"{there}mlp.down_proj.weight": weights[f"{here}down.weight"],
        }
    return {name: weight.detach().clone() for name, weight in found.items()}


def main() -> None:
    """Train and print the CPU-seconds and the losses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("tokens", type=Path)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-tokens", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--save", type=Path)
    options = parser.parse_args()
    config = json.loads((options.model / "config.json").read_text())
    model = Model(config, load_file(options.model / "model.safetensors"))
    before = time.process_time()
    losses = train(torch.compile(model) if options.compile else model, options)
    seconds = time.process_time() - before
    if options.save:
        save_file(named_as_there(model.state_dict(), config), options.save)
    tokens = options.steps * options.batch_tokens // options.context * options.context
    print("RESULT " + json.dumps({"cpu_seconds": seconds, "tokens": tokens, "losses": losses}))


def train(model: nn.Module, options: argparse.Namespace) -> list[float]:
    """All steps; the loss of each."""
    stream = np.memmap(options.tokens, dtype=np.uint16, mode="r")
    torch.manual_seed(options.seed)
    decayed = [weight for weight in model.parameters() if weight.ndim > 1]
    others = [weight for weight in model.parameters() if weight.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, betas=(0.9, 0.95), fused=True)
    rows, losses = options.batch_tokens // options.context, []
    for step in range(options.steps):
        starts = torch.randint(len(stream) - options.context, (rows,)).tolist()
        ids = torch.stack([torch.from_numpy(stream[at : at + options.context].astype(np.int64)) for at in starts])
        targets = torch.stack(
            [torch.from_numpy(stream[at + 1 : at + 1 + options.context].astype(np.int64)) for at in starts]
        )
        for group in optimizer.param_groups:
            group["lr"] = rate(step, options.steps, options.learning_rate)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bfloat16"):
            loss = model(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(float(loss.detach()))
    return losses


def rate(step: int, steps: int, peak: float) -> float:
    """A linear rise over a twentieth of the steps, then half a cosine to a tenth."""
    rise = max(1, steps // 20)
    if step < rise:
        return peak * (step + 1) / rise
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))))


if __name__ == "__main__":
    main()
