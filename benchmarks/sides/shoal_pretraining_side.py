"""Shoal's pretraining on whole documents: speed and losses, or the bits per byte of weights, or the gradient's error.

shoal_pretraining_side.py train MODEL TOKENS --tokens N --batch-tokens T --context L [--optimizer muon] [--save FILE]
shoal_pretraining_side.py score MODEL HELD_OUT [--weights FILE]
shoal_pretraining_side.py gradient MODEL TOKENS
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("train", "score", "gradient"))
    parser.add_argument("model", type=Path)
    parser.add_argument("tokens_at", type=Path)
    parser.add_argument("--tokens", type=int, default=0)
    parser.add_argument("--batch-tokens", type=int, default=0)
    parser.add_argument("--context", type=int, default=0)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--beta2", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    print("RESULT " + json.dumps({"train": train, "score": score, "gradient": gradient}[options.what](options)))


def train(options: argparse.Namespace) -> dict[str, Any]:
    """So many tokens, the choice of the precision and of the order counted."""
    from safetensors.torch import save_file
    from shoal_training_side import product_speed

    import shoal.training.llama  # noqa: F401 - imports are counted on neither side
    from shoal.training import CorpusShare, DocumentSource, TrainSettings, open_token_file, pretrain_documents

    model = plain_model(options.model)
    file = open_token_file(options.tokens_at)
    settings = TrainSettings(
        learning_rate=options.learning_rate,
        epochs=options.tokens / (len(file.tokens) - len(file)),
        batch_tokens=options.batch_tokens,
        optimizer=options.optimizer,
        beta2=options.beta2,
        weight_decay=0.1,
        precision=options.precision,
        seed=options.seed,
    )
    share = CorpusShare(file=file)
    before = time.process_time()
    done = pretrain_documents(model, [share], settings, context=options.context)
    seconds = time.process_time() - before
    if options.save:
        save_file({name: weight.detach() for name, weight in model.named_parameters()}, options.save)
    return {
        "cpu_seconds": seconds,
        "tokens": done.curve[-1].tokens,
        "precision": done.precision,
        "efficiency": DocumentSource([share], context=options.context, batch_tokens=options.batch_tokens).efficiency,
        "losses": [point.loss for point in done.curve],
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "matmul_flops": product_speed(model.config, done.precision),
    }


def score(options: argparse.Namespace) -> dict[str, Any]:
    """Bits a byte of held-out stories, each read alone; by the model's own forward, whoever trained it."""
    import torch

    model = plain_model(options.model, options.weights)
    stories = json.loads(options.tokens_at.read_text())
    nats = 0.0
    with torch.inference_mode():
        for story in stories:
            ids = torch.tensor(story["ids"])
            logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0]
            nats += float(torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum"))
    return {"bits_per_byte": nats / math.log(2) / sum(story["bytes"] for story in stories), "stories": len(stories)}


def gradient(options: argparse.Namespace) -> dict[str, Any]:
    """How far the float32 gradient is from that of the model's own loss by autograd, on one step of documents."""
    import torch

    from shoal.training import CorpusShare, DocumentSource, choose_gradient, open_token_file
    from shoal.training.flat_parameters import FlatParameters

    model = plain_model(options.model)
    share = CorpusShare(file=open_token_file(options.tokens_at))
    batch = DocumentSource([share], context=512, batch_tokens=1024).batch(0)
    losses = []
    for document in batch.documents:
        ids = torch.from_numpy(document.ids)
        logits = model(input_ids=ids[None, :-1], use_cache=False).logits[0]
        losses.append(torch.nn.functional.cross_entropy(logits, ids[1:], reduction="sum"))
    plain = torch.stack(losses).sum() / batch.targets
    expected = torch.autograd.grad(plain, list(model.parameters()))
    with FlatParameters(model) as weights:
        loss = float(choose_gradient(model, weights, dropout=False)(batch, "float32", batch.targets))
        found = [weight.grad.clone() for weight in model.parameters()]
    apart = [float((one - other).norm() / other.norm()) for one, other in zip(found, expected, strict=True)]
    return {"largest_relative_difference_of_a_tensor": max(apart), "loss_difference": abs(loss - float(plain.detach()))}


def plain_model(folder: Path, weights: Path | None = None) -> Any:
    """The Llama of a folder, perhaps with other weights."""
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    if weights is not None:
        for name, values in load_file(weights).items():
            model.get_parameter(name).data.copy_(values)
    return model


if __name__ == "__main__":
    main()
