"""Whether `torch.compile` pays in the training of small models on a CPU.

    python -m benchmarks.compiling

A step is forward, loss and backward on documents padded on the right, by the model's own forward (that is how GPT-Neo
is trained; a Llama has its written-out pass, which is printed beside). Eager and compiled run in turn in one process on
one thread; printed are CPU-seconds per step, what compiling cost, and after how many steps it would be earned back.
"""

from __future__ import annotations

import os
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.processes import write_result

if TYPE_CHECKING:
    from collections.abc import Callable

SHAPES = (("gpt-neo", 64, 4), ("gpt-neo", 256, 4), ("llama", 64, 4), ("llama", 256, 4))
VOCABULARY, CONTEXT, BATCH_TOKENS, ROUNDS = 1024, 256, 2048, 6


def make_model(kind: str, width: int, layers: int) -> Any:
    from shoal.models import ModelShape, build_model

    if kind == "llama":
        shape = ModelShape(vocabulary=VOCABULARY, width=width, layers=layers, heads=4, inner=3 * width, context=CONTEXT)
        return build_model("llama", shape, seed=0)
    neo = ModelShape(vocabulary=VOCABULARY, width=width, layers=layers, heads=4, inner=4 * width, context=CONTEXT)
    return build_model("gpt-neo", neo, seed=0)


def make_step(model: Any, forward: Any) -> Callable[[], None]:
    import torch

    ids = torch.from_numpy(np.random.default_rng(0).integers(0, VOCABULARY, (BATCH_TOKENS // CONTEXT, CONTEXT + 1)))

    def step() -> None:
        hidden = forward(input_ids=ids[:, :-1], use_cache=False, return_dict=True)[0]
        logits = model.get_output_embeddings()(hidden)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten()).backward()
        model.zero_grad()

    return step


def written_out(model: Any) -> Callable[[], None]:
    """The step of the training loop."""
    from shoal.training import choose_gradient
    from shoal.training.batches import Batch, Document
    from shoal.training.flat_parameters import FlatParameters

    ids = np.random.default_rng(0).integers(0, VOCABULARY, (BATCH_TOKENS // CONTEXT, CONTEXT + 1))
    batch = Batch(tuple(Document(row, 1) for row in ids), "random")
    weights = FlatParameters(model)
    weights.__enter__()
    gradient = choose_gradient(model, weights, dropout=False)
    return lambda: gradient(batch, "float32", batch.targets) and None


def cpu_seconds(step: Callable[[], None]) -> float:
    """Of this process and of the compilers that it called."""
    begun = sum(os.times()[:4])
    step()
    return sum(os.times()[:4]) - begun


def compare(kind: str, width: int, layers: int) -> dict[str, Any]:
    import torch

    model = make_model(kind, width, layers)
    eager = make_step(model, model.base_model)
    compiled = make_step(model, torch.compile(model.base_model))
    cost = cpu_seconds(compiled)
    own = written_out(make_model(kind, width, layers))
    eager()
    own()
    times = [(cpu_seconds(eager), cpu_seconds(compiled), cpu_seconds(own)) for _ in range(ROUNDS)]
    plain, fast, loop = (statistics.median(column) for column in zip(*times, strict=True))
    saved = loop - fast
    return {
        "model": f"{kind}, width {width}, {layers} blocks",
        "eager": plain,
        "compiled": fast,
        "loop": loop,
        "compiling": cost,
        "earned back after steps": round(cost / saved) if saved > 0 else None,
    }


def main() -> None:
    os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    rows = [compare(*shape) for shape in SHAPES]
    for row in rows:
        print(
            f"{row['model']:28}  eager {row['eager']:.3f}  compiled {row['compiled']:.3f}  loop {row['loop']:.3f} "
            f"CPU-s a step; compiling took {row['compiling']:.0f} CPU-s, earned back after "
            f"{row['earned back after steps'] or 'no number of'} steps"
        )
    write_result("compiling", {"rows": rows})


if __name__ == "__main__":
    main()
