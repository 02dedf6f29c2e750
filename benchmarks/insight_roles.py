"""Heads and neurons that are named where there is nothing to name, and where there is.

    python -m benchmarks.insight_roles [random] [learnt] [--seeds 5]

`random`: models with random weights, of four architectures and three spreads, and the bundled model's shape with fresh
weights on real tales; of their heads and neurons at most one in twenty may be named. `learnt`: two blocks trained on
random tokens said twice, where a previous-token head must stand in the first block and an induction head in the second.
JSON in bench-out/insight_roles_random.json and insight_roles_learnt.json.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.processes import write_result
from shoal.corpora import generate_stories
from shoal.insight import AnalysisOptions, NeuronSettings, find_head_types, find_parts, find_selective_neurons
from shoal.models import load_model
from shoal.statistics.intervals import wilson_interval

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LIMIT = 0.05
SPREADS = (0.02, 0.1, 0.3)
SHAPE = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 8}
KINDS: dict[str, dict[str, Any]] = {
    "GPT2": {"n_embd": 64, "n_layer": 4, "n_head": 8, "n_positions": 128},
    "GPTNeoX": SHAPE | {"max_position_embeddings": 128},
    "Llama": SHAPE | {"num_key_value_heads": 4, "max_position_embeddings": 128},
    "Gemma2": SHAPE | {"num_key_value_heads": 4, "head_dim": 8, "max_position_embeddings": 128},
}


def main() -> int:
    """Measure the parts, print, write; the exit code says whether the bars are held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    missed = [PARTS[part](options.seeds) for part in options.parts or PARTS]
    return int(any(missed))


def random_weights(seeds: int) -> int:
    """How many heads and neurons of random models are named."""
    texts = generate_stories(40, {"tale": 1.0}, seed=1)
    tokenizer = load_model("bundled:searches").tokenizer
    rows = []
    for kind in KINDS:
        for spread in SPREADS:
            models = [_random(kind, spread, seed, len(tokenizer)) for seed in range(seeds)]
            rows.append(_named(f"{kind}, spread {spread}", models, tokenizer, texts))
    fresh = [load_model("random:bundled:searches", seed=seed).model for seed in range(seeds)]
    rows.append(_named("bundled:searches, fresh", fresh, tokenizer, texts))
    for what in ("heads", "neurons"):
        named, whole = (sum(row[key] for row in rows) for key in (f"{what}_named", what))
        interval = wilson_interval(named, whole)
        print(f"{what}: {named} of {whole} named, {named / whole:.2%} [{interval.low:.2%}, {interval.high:.2%}]")
    write_result("insight_roles_random", {"models": rows})
    return int(any(row[f"{what}_named"] > LIMIT * row[what] for row in rows for what in ("heads", "neurons")))


def _named(
    name: str, models: list[PreTrainedModel], tokenizer: PreTrainedTokenizerFast, texts: list[str]
) -> dict[str, Any]:
    """Of models of one kind, the heads and neurons, those named, and the models in which any is."""
    row: dict[str, Any] = {"kind": name, "models": len(models), "models_with_a_head": 0}
    row |= dict.fromkeys(("heads", "heads_named", "neurons", "neurons_named"), 0)
    for seed, model in enumerate(models):
        options = AnalysisOptions(seed=seed)
        roles = find_head_types(model, tokenizer, texts, options=options)
        places = find_parts(model)
        every = [(block, neuron) for block in range(len(places.blocks)) for neuron in range(places.neurons)]
        settings = NeuronSettings(examples=1, max_tokens=96)
        neurons = find_selective_neurons(
            model, tokenizer, texts[:20], neurons=every, settings=settings, options=options
        )
        row["heads"] += len(roles.heads)
        row["heads_named"] += len(roles.typed)
        row["models_with_a_head"] += bool(roles.typed)
        row["neurons"] += len(every)
        row["neurons_named"] += sum(each.selective for each in neurons.neurons)
    print(
        f"{name:26} {row['heads_named']:3} of {row['heads']} heads, in {row['models_with_a_head']} of {len(models)} "
        f"models; {row['neurons_named']:3} of {row['neurons']} neurons",
        flush=True,
    )
    return row


def _random(kind: str, spread: float, seed: int, vocabulary: int) -> PreTrainedModel:
    import transformers

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        ids = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0}
        config = getattr(transformers, f"{kind}Config")(vocab_size=vocabulary, **KINDS[kind], **ids)
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(0.0, spread)
    return model


def learnt(seeds: int) -> int:
    """Whether the heads that a training must make are named, and in which block."""
    rows: list[dict[str, Any]] = []
    for seed in range(seeds):
        model, loss = trained_on_repeats(seed)
        named = [(head.block, head.roles[0], max(head.scores.values())) for head in find_head_types(model).typed]
        found = {
            "previous token": any(block == 0 and role == "previous token" for block, role, _ in named),
            "induction": any(block == 1 and role == "induction" for block, role, _ in named),
            "misplaced": sum(block == 0 and role == "induction" for block, role, _ in named),
        }
        rows.append({"seed": seed, "loss": loss, "named": named} | found)
        told = "; ".join(f"block {block} {role} {score:.2f}" for block, role, score in named)
        print(f"seed {seed}, loss {loss:.3f}: {told}", flush=True)
        write_result("insight_roles_learnt", {"models": rows})
    for role in ("previous token", "induction"):
        print(f"{role} head named in {sum(row[role] for row in rows)} of {seeds} models")
    return int(not all(row["previous token"] and row["induction"] and not row["misplaced"] for row in rows))


def trained_on_repeats(seed: int, steps: int = 1500) -> tuple[PreTrainedModel, float]:
    """Two blocks with hardly an MLP, trained on random tokens said twice, and the last loss in nats."""
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = {"hidden_size": 64, "intermediate_size": 4, "num_hidden_layers": 2, "num_attention_heads": 4}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=48, max_position_embeddings=64, **shape))
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
        for _ in range(steps):
            half = int(torch.randint(8, 25, ()))
            ids = torch.randint(0, 48, (32, half)).repeat(1, 2)
            logits = model(ids).logits[:, half - 1 : -1]
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, half:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval(), float(loss.detach())


PARTS = {"random": random_weights, "learnt": learnt}


if __name__ == "__main__":
    sys.exit(main())
