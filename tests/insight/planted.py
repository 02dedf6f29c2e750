"""Models with a known inside: attention heads and neurons whose weights are written by hand."""

from __future__ import annotations

import torch
from transformers import GPT2Config, GPT2LMHeadModel

TOKENS, PLACES, STRENGTH = 28, 40, 12.0
WIDTH = TOKENS + PLACES + TOKENS
HEAD = WIDTH // 2


def attention_model(noise: float = 0.02, seed: int = 0):
    """Two blocks of GPT-2 in which head 0.0 looks at the previous token and head 1.0 does induction.

    The residual stream has three parts: which token, which place, and which token came before (written by head 0.0).
    The other two heads and the MLPs are noise.
    """
    model = _gpt2(layers=2, noise=noise, seed=seed)
    token, place, before = torch.eye(WIDTH).split([TOKENS, PLACES, TOKENS])
    with torch.no_grad():
        model.transformer.wte.weight.copy_(token)
        model.transformer.wpe.weight.copy_(place)
        first, second = (block.attn for block in model.transformer.h)
        _head(first, query=place[1:], key=place[:-1], value=token, out=before)
        _head(second, query=token, key=before, value=token, out=token)
    return model


def single_head_model(kind: str, noise: float = 0.0, seed: int = 0):
    """One block of GPT-2 whose head 0 is of one type; its other head attends evenly to all tokens before."""
    model = _gpt2(layers=1, noise=noise, seed=seed)
    token, place, free = torch.eye(WIDTH).split([TOKENS, PLACES, TOKENS])
    query, key = {
        "previous token": (place[1:], place[:-1]),
        "same token": (place, place),
        "first token": (place, place[:1].expand(PLACES, -1)),
        "duplicate token": (token, token),
    }[kind]
    with torch.no_grad():
        model.transformer.wte.weight.copy_(token)
        model.transformer.wpe.weight.copy_(place)
        _head(model.transformer.h[0].attn, query=query, key=key, value=token, out=free)
    return model


def neuron_model(word_class: range, neuron: int = 5, noise: float = 0.02, seed: int = 0):
    """One block of GPT-2 in which a neuron of the MLP fires on the tokens of a class and on no other."""
    model = _gpt2(layers=1, noise=noise, seed=seed)
    token, place, _ = torch.eye(WIDTH).split([TOKENS, PLACES, TOKENS])
    with torch.no_grad():
        model.transformer.wte.weight.copy_(token)
        model.transformer.wpe.weight.copy_(place)
        mlp = model.transformer.h[0].mlp
        mlp.c_fc.weight[:, neuron] = 0.0
        mlp.c_fc.weight[list(word_class), neuron] = 1.0
        mlp.c_fc.bias[neuron] = -2.0
    return model


def _gpt2(layers: int, noise: float, seed: int):
    config = GPT2Config(
        vocab_size=TOKENS,
        n_positions=PLACES,
        n_embd=WIDTH,
        n_layer=layers,
        n_head=2,
        n_inner=32,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(config).eval()
        with torch.no_grad():
            for block in model.transformer.h:
                for name, weight in block.named_parameters():
                    if weight.ndim > 1 and "ln" not in name:
                        weight.normal_(0.0, noise)
    return model


def _head(attention, *, query, key, value, out):
    """Write head 0: the k-th direction of `query` finds the k-th of `key`, and `value` is written as `out`."""
    fused, projection = attention.c_attn, attention.c_proj
    size = len(query)
    fused.weight[:, :HEAD] = 0.0
    fused.weight[:, :size] = STRENGTH * query.T
    fused.weight[:, WIDTH : WIDTH + HEAD] = 0.0
    fused.weight[:, WIDTH : WIDTH + size] = key.T
    fused.weight[:, 2 * WIDTH : 2 * WIDTH + HEAD] = 0.0
    fused.weight[:, 2 * WIDTH : 2 * WIDTH + len(value)] = value.T
    projection.weight[:HEAD] = 0.0
    projection.weight[: len(out)] = out
