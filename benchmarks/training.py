"""Shoal's training loop beside the Trainer of transformers: the same Llama, the same stories, one thread each.

Real text in prompts and completions of varying length, CPU-seconds of the training call alone (choosing the precision
and encoding counted on our side, loading and imports on neither), tokens that are not padding a CPU-second. The
Trainer runs with its defaults, and with bfloat16 and rows packed full (documents of a row see each other there, which
costs it nothing and is not the same training). A further comparison checks the losses:
identical float32 batches, 50 steps. Then pretraining beside the recipe of nanoGPT: speed at widths 288 and 64, packing,
the share of the matrix product's speed, the gradient's error, and bits per byte after as many tokens.

    python -m benchmarks.training [--rounds 3] [--tokens 32768] [--parts trainer agreement nanogpt quality]
        [--shape 15M 7M] [--quality-tokens 400000] [--data ../shared/data]

Each comparison is printed and appended to bench-out/training.jsonl when it is done.
"""

from __future__ import annotations

import argparse
import json
import statistics
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import pretraining
from benchmarks.pretraining import side
from benchmarks.processes import DATA, OUT, PEERS_PYTHON, SHOAL_PYTHON, append_part, spread, write_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transformers import PreTrainedTokenizerFast

    Found = Iterator[tuple[str, dict[str, Any]]]

FOLDER = OUT / "training"
VOCABULARY = 4096
CONTEXT = 512
BATCH_TOKENS = 2048
SHAPES = {
    "15M": {"hidden_size": 384, "num_hidden_layers": 8, "num_attention_heads": 6, "intermediate_size": 1024},
    "7M": {"hidden_size": 288, "num_hidden_layers": 6, "num_attention_heads": 6, "intermediate_size": 768},
    "width 64": {"hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 192},
}
PEER_MODES = ("defaults", "packed")
AGREEMENT_STEPS = 50
AGREEMENT_TOKENS = 512


def main() -> None:
    """Run all comparisons and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=32768)
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=["15M", "7M"])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--quality-tokens", type=int, default=400_000)
    options = parser.parse_args()
    texts = stories(options.data)
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(texts)
    result: dict[str, Any] = {}
    for part in options.parts:
        for name, found in PARTS[part](options, texts, tokenizer):
            result[name] = found
            append_part("training", {"comparison": name} | found)
    print(f"written to {write_result('training', result)}")


def against_trainer(options: argparse.Namespace, texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Found:
    rows = make_rows(texts, tokenizer, options.tokens)
    for shape in options.shape:
        found = compare(make_model(shape), rows, options.rounds)
        print_comparison(shape, found)
        yield shape, found


def same_losses(options: argparse.Namespace, texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Found:
    found = agreement(make_model("7M"), make_rows(texts, tokenizer, options.tokens))
    print(
        f"greatest difference of the losses over {found['steps']} steps on identical float32 batches: "
        f"{found['difference']:.2e}",
        flush=True,
    )
    yield "agreement", found


def against_nanogpt(options: argparse.Namespace, texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Found:
    pretraining.write_tokens(FOLDER, texts, tokenizer)
    for shape, times in (("7M", 1), ("width 64", 4)):
        found = pretraining.speed(make_model(shape), FOLDER, times * options.tokens, options.rounds)
        pretraining.print_speed(shape, found)
        yield f"nanogpt {shape}", found


def as_good(options: argparse.Namespace, texts: list[str], tokenizer: PreTrainedTokenizerFast) -> Found:
    pretraining.write_tokens(FOLDER, texts, tokenizer)
    found = pretraining.quality(make_model("width 64"), FOLDER, options.quality_tokens, options.rounds)
    pretraining.print_quality(found)
    yield "quality", found


PARTS: dict[str, Callable[[argparse.Namespace, list[str], PreTrainedTokenizerFast], Found]] = {
    "trainer": against_trainer,
    "agreement": same_losses,
    "nanogpt": against_nanogpt,
    "quality": as_good,
}


def stories(data: Path) -> list[str]:
    """The stories of the TinyStories sample."""
    text = (data / "tinystories" / "tinystories_v2_gpt4_train_head.txt").read_text(encoding="utf-8")
    return [story.strip() for story in text.split("<|endoftext|>") if len(story.split()) > 30]


def make_rows(texts: list[str], tokenizer: PreTrainedTokenizerFast, tokens: int) -> Path:
    """Stories cut after their second sentence into prompt and completion, as many as give so many tokens."""
    rows: list[dict[str, str]] = []
    total = 0
    for story in texts:
        sentences = story.split(". ")
        prompt, completion = ". ".join(sentences[:2]) + ".", " " + ". ".join(sentences[2:])
        size = len(tokenizer(prompt + completion)["input_ids"]) + 1
        if len(sentences) > 2 and size <= CONTEXT and total < tokens:
            rows.append({"prompt": prompt, "completion": completion})
            total += size
    path = FOLDER / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def make_tokenizer(texts: list[str]) -> PreTrainedTokenizerFast:
    """A throw-away byte-pair tokenizer, trained on the stories."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<end>", "<pad>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<pad>")
    for shape in SHAPES:
        fast.save_pretrained(FOLDER / shape)
    return fast


def make_model(shape: str) -> Path:
    """A Llama of fresh weights and this shape, in the folder of its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = SHAPES[shape]
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        max_position_embeddings=CONTEXT,
        num_key_value_heads=sizes["num_attention_heads"],
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=1,
        **sizes,
    )
    LlamaForCausalLM(config).save_pretrained(FOLDER / shape)
    return FOLDER / shape


def compare(model: Path, rows: Path, rounds: int) -> dict[str, Any]:
    """Both sides in turn, round after round; speeds are tokens that are not padding a CPU-second."""
    ours: list[dict[str, Any]] = []
    peers: dict[str, list[dict[str, Any]]] = {mode: [] for mode in PEER_MODES}
    for _ in range(rounds):
        ours.append(side(SHOAL_PYTHON, "shoal_training_side.py", model, rows, BATCH_TOKENS))
        for mode, runs in peers.items():
            runs.append(side(PEERS_PYTHON, "trainer_side.py", model, rows, mode, BATCH_TOKENS))
    speeds = {"shoal": [run["tokens"] / run["cpu_seconds"] for run in ours]}
    speeds |= {mode: [run["tokens"] / run["cpu_seconds"] for run in runs] for mode, runs in peers.items()}
    peak = max(run["matmul_flops"] for run in ours)
    return {
        "parameters": ours[0]["parameters"],
        "precision": ours[0]["precision"],
        "tokens": ours[0]["tokens"],
        "tokens_per_cpu_second": {name: spread(values) for name, values in speeds.items()},
        "ratio": {
            mode: statistics.median(a / b for a, b in zip(speeds["shoal"], speeds[mode], strict=True)) for mode in peers
        },
        "matmul_flops": peak,
        "share_of_matmul_peak": 6 * ours[0]["parameters"] * statistics.median(speeds["shoal"]) / peak,
        "steps": {"shoal": ours[0]["steps"]} | {mode: runs[0]["steps"] for mode, runs in peers.items()},
    }


def print_comparison(shape: str, figures: dict[str, Any]) -> None:
    speeds = figures["tokens_per_cpu_second"]
    print(f"{shape}: {figures['parameters'] / 1e6:.1f}M parameters, {figures['tokens']} tokens, one thread")
    print(
        f"  {'shoal, ' + figures['precision']:24} {speeds['shoal']['median']:8.0f} tokens a CPU-second, "
        f"{100 * figures['share_of_matmul_peak']:.0f}% of the {figures['matmul_flops'] / 1e9:.0f} GFLOPS of a product",
        flush=True,
    )
    for mode, ratio in figures["ratio"].items():
        print(
            f"  {'Trainer, ' + mode:24} {speeds[mode]['median']:8.0f} tokens a CPU-second, ratio {ratio:.2f}",
            flush=True,
        )


def agreement(model: Path, rows: Path) -> dict[str, Any]:
    """The greatest difference of the losses of both loops on the same float32 batches."""
    ours = side(SHOAL_PYTHON, "shoal_training_side.py", model, rows, AGREEMENT_TOKENS, "--steps", AGREEMENT_STEPS)
    peer = side(PEERS_PYTHON, "trainer_side.py", model, ours["batches"], "batches", AGREEMENT_TOKENS)
    pairs = list(zip(ours["losses"], peer["losses"], strict=True))
    falls = sum(after < before for before, after in pairwise(ours["losses"]))
    return {
        "steps": len(pairs),
        "difference": max(abs(a - b) for a, b in pairs),
        "first": pairs[0],
        "last": pairs[-1],
        "steps_that_lowered_the_loss": falls,
    }


if __name__ == "__main__":
    main()
