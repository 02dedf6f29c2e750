"""Exact match without `generate()` beside `generate()` itself, item by item, on models with mixed answers.

Tiny models of several architectures are trained from scratch to copy and repeat words until they are right about half
of the time, which makes their decisions as narrow as they get. Then both evaluators score the same items, a fifth of
which have targets of more than 200 tokens, and every disagreement in verdict, first divergence or greedy text is
printed.

    python -m benchmarks.equality [--items 2000] [--long 400] [--only llama]
    python -m benchmarks.equality --model SPEC --texts FILE [--items 500] [--long 0]

The second form takes a model that exists and a file with a text a line: half of its items are what the model itself
says to the beginning of a text, the others what the text says.

Items are compared in parts, and each part is appended to bench-out/equality.jsonl; a run that was killed goes on behind
the last part that it finished with the same weights and the same items.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.processes import append_part, read_parts, write_result
from shoal.errors import BoundaryError, DataError
from shoal.evaluation import Scores, evaluate, evaluate_by_generation
from shoal.models import model_digest
from shoal.tasks import Example
from shoal.text.encoding import decode_continuation, encode_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PART = 25
"""Items of a part; fewer would leave nothing to batch."""

END = "<end>"
CONTEXT = 320
COMPARED = ("exact_match", "first_divergence", "greedy_text", "greedy_ends", "string_match", "divergence")
SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "zu")


def main() -> None:
    """Compare on every architecture, or on a given model, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=2000, help="items an architecture")
    parser.add_argument("--long", type=int, help="how many of them have more than 200 target tokens: 400, or 0")
    parser.add_argument("--only", choices=sorted(ARCHITECTURES), help="one architecture")
    parser.add_argument("--model", help="a model spec to compare on instead")
    parser.add_argument("--texts", type=Path, help="a text a line for that model")
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    if options.model:
        results[options.model] = given(options.model, options.texts, options.items, options.long or 0)
    else:
        for name in [options.only] if options.only else sorted(ARCHITECTURES):
            results[name] = architecture(name, options.items, 400 if options.long is None else options.long)
    write_result("equality", results)
    total = sum(result["items"] for result in results.values())
    wrong = sum(len(result["disagreements"]) for result in results.values())
    print(f"{total} items, {sum(result['long'] for result in results.values())} long, {wrong} disagreements")


def given(spec: str, texts: Path, items: int, long: int) -> dict[str, Any]:
    """Compare on a model that exists."""
    from shoal.models import load_model

    loaded = load_model(spec)
    lines = [line for line in texts.read_text(encoding="utf-8").splitlines() if len(line.split()) > 40]

    def row(place: int) -> Example:
        for cut in range(5 + place % 7, 30):
            line = lines[place % len(lines)]
            made = continuation(loaded.model, loaded.tokenizer, line, place, cut, long=place < long)
            if splits(loaded.tokenizer, made):
                return made
        raise DataError(f"no cut of {line[:40]!r} gives a prompt and a completion without a token across both")

    return compare(f"{spec} on {texts.name}", loaded.model, loaded.tokenizer, row, items, long)


def continuation(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, text: str, place: int, cut: int, *, long: bool
) -> Example:
    """The first words of a text with the model's own continuation of them, or with the text's in every other item."""
    words = text.split()
    prompt = " ".join(words[:cut])
    if place % 2:
        return Example(prompt=prompt, completion=" " + " ".join(words[cut : cut + 1 + place % 6]), ends=False)
    ids = tokenizer(prompt, return_tensors="pt")
    said = model.generate(
        **ids,
        do_sample=False,
        max_new_tokens=205 if long else 2 + place % 9,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )[0].tolist()
    return Example(
        prompt=prompt,
        completion=decode_continuation(tokenizer, said[: ids["input_ids"].shape[1]], said[ids["input_ids"].shape[1] :]),
        ends=said[-1] == tokenizer.eos_token_id,
    )


def splits(tokenizer: PreTrainedTokenizerFast, made: Example) -> bool:
    """Whether no token lies across the end of the prompt, as one does where a model goes on in the middle of a word."""
    try:
        encode_pairs(tokenizer, [(made.prompt, made.completion, made.ends)])
    except BoundaryError:
        return False
    return True


def architecture(name: str, items: int, long: int, seed: int = 0) -> dict[str, Any]:
    """Train a model of one architecture until its answers are mixed, and compare."""
    chance = random.Random(seed)
    tokenizer = small_tokenizer(chance)
    torch.manual_seed(seed)
    model = ARCHITECTURES[name](len(tokenizer))
    train_until_mixed(model, tokenizer, chance)
    # Some ask for more repetitions than training did, so that wrong answers stay even where copying is learned well.
    rows = [example(chance, long=place < long, most=6 if place % 2 else 9) for place in range(items)]
    return compare(name, model, tokenizer, rows.__getitem__, items, long)


def compare(
    name: str,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    row: Callable[[int], Example],
    items: int,
    long: int,
) -> dict[str, Any]:
    """Both evaluators on the same rows, part by part; parts that an earlier run finished are taken from it."""
    key = {"name": name, "weights": model_digest(model), "items": items, "asked_long": long}
    done = [part for part in read_parts("equality") if {field: part[field] for field in key} == key]
    parts = {part["first"]: part for part in done}
    for first in range(0, items, PART):
        if first in parts:
            continue
        part = (
            key | {"first": first} | compare_part(model, tokenizer, list(map(row, range(items)[first : first + PART])))
        )
        parts[first] = part
        append_part("equality", part)
        print(
            f"{name}: items from {first}: {part['right']} right, {len(part['disagreements'])} disagreements", flush=True
        )
    result = joined(list(parts.values()))
    print(name, json.dumps(result | {"disagreements": len(result["disagreements"])}), flush=True)
    for disagreement in result["disagreements"][:5]:
        print("   ", json.dumps(disagreement), flush=True)
    return result


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of all parts together."""
    return {
        "items": sum(part["compared"] for part in parts),
        "long": sum(part["long"] for part in parts),
        "right": sum(part["right"] for part in parts),
        "rechecked": sum(part["rechecked"] for part in parts),
        "largest_margin_difference": max(part["largest_margin_difference"] for part in parts),
        "cpu_seconds": {side: sum(part["cpu_seconds"][side] for part in parts) for side in parts[0]["cpu_seconds"]},
        "settings": parts[0]["settings"],
        "disagreements": [
            one | {"index": part["first"] + one["index"]} for part in parts for one in part["disagreements"]
        ],
    }


def compare_part(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, rows: list[Example]) -> dict[str, Any]:
    """Both evaluators on some rows."""
    start = time.process_time()
    ours = evaluate(model, tokenizer, rows)
    between = time.process_time()
    theirs = evaluate_by_generation(model, tokenizer, rows)
    early = evaluate(model, tokenizer, rows, early_exit=True, token_budget=1500, greedy_text=False)
    return {
        "compared": len(rows),
        "long": sum(item.tokens > 200 for item in ours.items),
        "right": theirs.exact_matches,
        "rechecked": sum(item.status != "clear" for item in ours.items),
        "largest_margin_difference": margin_difference(ours, theirs),
        "cpu_seconds": {"evaluate": between - start, "generate": time.process_time() - between},
        "settings": ours.settings,
        "disagreements": disagreements(ours, theirs)
        + disagreements(early, theirs, ("exact_match", "first_divergence")),
    }


def disagreements(ours: Scores, theirs: Scores, fields: tuple[str, ...] = COMPARED) -> list[dict[str, Any]]:
    """Every field of every item in which the two differ."""
    return [
        {
            "index": a.index,
            "field": field,
            "evaluate": getattr(a, field),
            "generate": getattr(b, field),
            "margin": a.margin,
        }
        for a, b in zip(ours.items, theirs.items, strict=True)
        for field in fields
        if getattr(a, field) != getattr(b, field)
    ]


def margin_difference(ours: Scores, theirs: Scores) -> float:
    """The largest difference of two margins of one item."""
    return max(abs(a.margin - b.margin) for a, b in zip(ours.items, theirs.items, strict=True))


def example(chance: random.Random, *, long: bool, most: int = 6) -> Example:
    """Words to repeat: a few times, or on and on to more than 200 tokens."""
    words = [chance.choice(SYLLABLES) + chance.choice(SYLLABLES) for _ in range(chance.randint(1, 2 if long else 5))]
    times = chance.randint(205, 230) // len(words) + 1 if long else chance.randint(1, most)
    prompt = f"{'on' if long else times} : {' '.join(words)} ="
    return Example(prompt=prompt, completion=(" " + " ".join(words)) * times, ends=not long)


def small_tokenizer(chance: random.Random) -> PreTrainedTokenizerFast:
    """A byte-pair tokenizer trained on a few hundred examples."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [row.prompt + row.completion for row in (example(chance, long=False) for _ in range(500))]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=END)


def train_until_mixed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, chance: random.Random, steps: int = 3000
) -> None:
    """Train until at least 40% of the short examples and 30% of the long ones are right, or the steps are over."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01)
    trial = [[example(chance, long=long) for _ in range(50)] for long in (False, True)]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * min(1.0, step / 100) * (1.0 if step < 1000 else 0.3)
        long = step % 2 == 0
        loss = loss_of(model, tokenizer, [example(chance, long=long) for _ in range(8 if long else 48)])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 49:
            shares = [evaluate(model, tokenizer, rows, early_exit=True, greedy_text=False).accuracy for rows in trial]
            if step % 250 == 249:
                print(f"step {step + 1} loss {loss.item():.3f} right {shares}", flush=True)
            if shares[0] >= 0.4 and shares[1] >= 0.3:
                break


def loss_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, rows: list[Example]) -> torch.Tensor:
    """Mean cross-entropy of the target tokens."""
    pairs = encode_pairs(tokenizer, [(row.prompt, row.completion, row.ends) for row in rows])
    longest = max(len(pair.ids) for pair in pairs)
    ids = torch.zeros(len(pairs), longest, dtype=torch.long)
    labels = torch.full_like(ids, -100)
    for place, pair in enumerate(pairs):
        ids[place, : len(pair.ids)] = torch.tensor(pair.ids)
        labels[place, pair.boundary : len(pair.ids)] = torch.tensor(pair.target)
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


def _gpt_neo(vocabulary: int) -> PreTrainedModel:
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    return GPTNeoForCausalLM(
        GPTNeoConfig(
            vocab_size=vocabulary,
            hidden_size=64,
            num_layers=4,
            num_heads=8,
            attention_types=[[["global", "local"], 2]],
            window_size=64,
            max_position_embeddings=CONTEXT,
            **_ids(),
        )
    )


def _gpt2(vocabulary: int) -> PreTrainedModel:
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=vocabulary,
            n_embd=64,
            n_layer=3,
            n_head=4,
            n_positions=CONTEXT,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            **_ids(),
        )
    )


def _llama(vocabulary: int) -> PreTrainedModel:
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, num_key_value_heads=2, **_common()))


def _gpt_neox(vocabulary: int) -> PreTrainedModel:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=vocabulary, **_common()))


def _gemma2(vocabulary: int) -> PreTrainedModel:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    return Gemma2ForCausalLM(
        Gemma2Config(
            vocab_size=vocabulary,
            num_key_value_heads=2,
            head_dim=16,
            query_pre_attn_scalar=16,
            sliding_window=64,
            attn_implementation="eager",
            **_common(),
        )
    )


def _common() -> dict[str, Any]:
    return {
        "hidden_size": 64,
        "intermediate_size": 176,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": CONTEXT,
    } | _ids()


def _ids() -> dict[str, int]:
    return {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}


ARCHITECTURES: dict[str, Callable[[int], PreTrainedModel]] = {
    "gemma2": _gemma2,
    "gpt2": _gpt2,
    "gpt_neo": _gpt_neo,
    "gpt_neox": _gpt_neox,
    "llama": _llama,
}


if __name__ == "__main__":
    main()
