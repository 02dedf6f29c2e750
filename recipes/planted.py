"""Train a set of planted models: small models whose mechanism is known, to test methods that explain models.

    python recipes/planted.py planted-models --seed 0
    python recipes/planted.py planted-models --seed 0 --shard 1/2     # half of them, in a process of its own

A build that was stopped is resumed by the same command.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from shoal.attribution.planted import plant_models, planted_models
from shoal.cli.terminal import display


def main() -> int:
    """Train, check and write the models; 1 where one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder of the set")
    parser.add_argument("--seed", type=int, default=0, help="of all draws")
    parser.add_argument("--shard", default="1/1", help="i/n trains the models of every n-th task, from the i-th on")
    parser.add_argument("--only", default="", help="train only models whose name holds this text")
    arguments = parser.parse_args()
    number, shards = map(int, arguments.shard.split("/"))
    chosen = planted_models(seed=arguments.seed)
    # By task, since the models of a task share one pretrained model.
    tasks = list(dict.fromkeys(model.task for model in chosen))[number - 1 :: shards]
    models = [model for model in chosen if model.task in tasks and arguments.only in model.name]
    with display() as shown:
        cards = plant_models(models, arguments.out, progress=shown.progress)
        for card in cards:
            shown.print(str(card))
    return int(not all(card.learned for card in cards))


if __name__ == "__main__":
    raise SystemExit(main())
