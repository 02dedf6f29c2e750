"""From the run of recipes/stories.toml to the folder that comes with shoal, with a card of what was measured.

    shoal pretrain recipes/stories.toml --corpora DATA --out runs/stories
    python recipes/ship.py runs/stories --corpora DATA --out src/shoal/models/bundled/stories --picture docs/bundled.svg

The weights are kept in bfloat16 where that changes the held-out bits per byte by less than a thousandth, and in float32
otherwise. Nothing is shipped if a text of the training counts up, or if a held-out story has a near duplicate there.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent))

from stories_card import Facts, card

from shoal.corpora import Shingler, check_never_counts_up, jaccard
from shoal.corpora.duplicates import THRESHOLD
from shoal.evaluation.stories import held_out_bits, read_minimal_pairs, score_minimal_pairs
from shoal.experiments.pretraining import load_recipe
from shoal.experiments.pretraining.documents import prepare_documents, read_ids, read_texts
from shoal.experiments.pretraining.split import split_documents
from shoal.figures import CurveLine, curve_chart, to_svg
from shoal.models import load_model, save_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.experiments.pretraining import Recipe

RECIPE = Path(__file__).with_name("stories.toml")
HELD_OUT = RECIPE.with_name("stories_held_out.txt")
SCORED = "tinystories"
LOSS_FREE = 1e-3
CURVE_POINTS = 400


@dataclass(frozen=True)
class Texts:
    """The documents of the recipe."""

    seen: dict[str, list[str]]
    held_out: dict[str, list[str]]


def main() -> None:
    """Check, measure and ship."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the run folder")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the model")
    parser.add_argument("--picture", type=Path, required=True, help="where the curve is drawn, as SVG")
    arguments = parser.parse_args()
    recipe = load_recipe(RECIPE, data=arguments.data)
    texts = read_documents(recipe, arguments.run.parent / "prepared")
    stories = texts.held_out[SCORED]
    checked = check_never_counts_up(text for part in texts.seen.values() for text in part)
    nearest = nearest_similarity(stories, texts.seen)
    if nearest >= THRESHOLD:
        raise SystemExit(f"a held-out story has a near duplicate in the training text (Jaccard index {nearest:.2f})")
    trained = load_model(str(arguments.run / "model"))
    kept, stored = as_stored(trained.model, trained.tokenizer, stories)
    peer = load_model(str(arguments.data / "stories260K" / "stories260K.bin"))
    facts = Facts(
        done=json.loads((arguments.run / "done.json").read_text(encoding="utf-8")),
        corpora={name: (len(part), sum(len(text.encode()) for text in part)) for name, part in texts.seen.items()},
        held_out={name: len(part) for name, part in texts.held_out.items()},
        licences={corpus.name: corpus.licence for corpus in recipe.corpus},
        checked=checked,
        nearest=nearest,
        stored=stored,
        bits={
            "bundled:stories": held_out_bits(kept, trained.tokenizer, stories),
            "stories260K": held_out_bits(peer.model, peer.tokenizer, stories),
        },
        pairs={
            "bundled:stories": zorro(kept, trained.tokenizer, arguments.data),
            "stories260K": zorro(peer.model, peer.tokenizer, arguments.data),
        },
        seed=recipe.seed,
    )
    save_model(kept.bfloat16() if stored == "bfloat16" else kept, trained.tokenizer, arguments.out)
    shutil.copyfile(RECIPE, arguments.out / "recipe.toml")
    shutil.copyfile(HELD_OUT, arguments.out / HELD_OUT.name)
    write_curve(arguments.run, arguments.out, arguments.picture)
    shipped = load_model(str(arguments.out))
    (arguments.out / "CARD.md").write_text(card(shipped.model, shipped.tokenizer, facts), encoding="utf-8")
    sys.stdout.write(facts.comparison() + "\n")


def read_documents(recipe: Recipe, cache: Path) -> Texts:
    """The seen and the held-out documents of each corpus, as the run parted them."""
    files = {corpus.name: prepare_documents(corpus, cache) for corpus in recipe.corpus}
    split = split_documents({name: read_ids(file) for name, file in files.items()}, recipe)
    texts = {name: list(read_texts(file)) for name, file in files.items()}
    seen, held_out = (
        {name: [text for text, take in zip(texts[name], masks[name], strict=True) if take] for name in texts}
        for masks in (split.seen, split.held_out)
    )
    return Texts(seen, {name: part for name, part in held_out.items() if part})


def nearest_similarity(stories: list[str], seen: dict[str, list[str]]) -> float:
    """The greatest Jaccard index of word 5-grams between a held-out story and any document of the training."""
    shingler = Shingler()
    sets = [shingler.shingles(story) for story in stories]
    homes: dict[int, set[int]] = {}
    for place, grams in enumerate(sets):
        for gram in grams.tolist():
            homes.setdefault(gram, set()).add(place)
    most = 0.0
    for document in (text for part in seen.values() for text in part):
        grams = shingler.shingles(document)
        for place in set().union(*(homes.get(gram, ()) for gram in grams.tolist())):
            most = max(most, jaccard(sets[place], grams))
    return most


def as_stored(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, stories: list[str]
) -> tuple[PreTrainedModel, str]:
    """The model with the weights that will be stored (still as float32), and in which dtype that is."""
    before = held_out_bits(model, tokenizer, stories).value
    exact = {name: weight.clone() for name, weight in model.state_dict().items()}
    model.load_state_dict({name: weight.bfloat16().float() for name, weight in exact.items()})
    after = held_out_bits(model, tokenizer, stories).value
    sys.stdout.write(f"held-out bits per byte: {before:.5f} in float32, {after:.5f} in bfloat16\n")
    if abs(after - before) < LOSS_FREE:
        return model, "bfloat16"
    model.load_state_dict(exact)
    return model, "float32"


def zorro(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, data: Path) -> Any:
    """All pairs of Zorro."""
    return score_minimal_pairs(model, tokenizer, read_minimal_pairs(data / "zorro" / "zorro.zip"))


def write_curve(run: Path, out: Path, picture: Path) -> None:
    """The loss as means of equal stretches of steps beside the model, and the picture of the held-out curve."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    every = max(1, len(rows) // CURVE_POINTS)
    with (out / "curve.jsonl").open("w", encoding="utf-8") as file:
        for start in range(0, len(rows), every):
            part = rows[start : start + every]
            point = {name: part[-1][name] for name in ("step", "tokens")}
            point["loss"] = round(math.fsum(row["loss"] for row in part) / len(part), 4)
            point["learning_rate"] = float(f"{part[-1]['learning_rate']:.4g}")
            file.write(json.dumps(point) + "\n")
    scores = [json.loads(line) for line in (run / "scores.jsonl").read_text(encoding="utf-8").splitlines()]
    scores = [row for row in scores if row["corpus"] == SCORED and row["step"] > 0]
    line = CurveLine(
        name=SCORED,
        steps=tuple(row["step"] for row in scores),
        values=tuple(row["bits_per_byte"] for row in scores),
    )
    chart = curve_chart([line], title="Held-out TinyStories", axis="bits per byte", width=460, height=240)
    picture.write_text(to_svg(chart, title="Held-out bits per byte over the training", follow_page=False) + "\n")


if __name__ == "__main__":
    main()
