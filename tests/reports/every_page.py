"""One small page of each kind, made in seconds from values that are known."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from shoal.experiments.crossed import CrossedResult
    from shoal.statistics import Word

TWO_TEXTS = "\n\n".join(
    [
        " ".join(["The red cat sat on the mat.", "A cat likes a warm mat."] * 5),
        " ".join(["The dog ran to the cat.", "The mat was red."] * 4),
        " ".join(["Bond yields rose after the auction.", "The central bank raised its rates."] * 8),
    ]
)


def changes_page() -> str:
    from shoal.changes import Stream, change_points
    from shoal.reports import changes_page as page

    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 400), rng.normal(4, 1, 300)])[:, None]
    stream = Stream(values=values, names=("load",))
    return page("load.csv", stream, change_points(stream), searched=stream)


def segment_page() -> str:
    from shoal.reports import segment_page as page
    from shoal.segmentation import label_segments, segment

    found = segment(TWO_TEXTS, count=2)
    return page("two.txt", found, label_segments(found), text=TWO_TEXTS)


def inspection_page() -> str:
    from shoal.insight import AnalysisOptions, inspect_text
    from shoal.models import load_model
    from shoal.reports import inspection_page as page

    loaded = load_model("bundled:searches")
    # A level that few shuffled models can judge: which heads have a type is no matter here.
    options = AnalysisOptions(alpha=0.2)
    return page(
        inspect_text(loaded.model, loaded.tokenizer, "One day, Lily saw a dog", name="searches", options=options)
    )


def layers_page() -> str:
    from shoal.insight.layers import Ranges, Size, layer_table
    from shoal.reports import layers_page as page

    ranges = Ranges(n=(16, 32), long_n=(16, 32), d=(4, 8), base=Size(n=16, d=4, r=5), repeats=2)
    return page(layer_table(ranges, kinds=["recurrent"]))


def tokens_page() -> str:
    from shoal.insight.tokens import compare_tokenizations, read_tokens
    from shoal.models import load_tokenizer
    from shoal.reports import tokens_page as page

    specs = ("bundled:stories", "bundled:searches")
    readings = [read_tokens(load_tokenizer(spec), "She unlocked the door", model=spec) for spec in specs]
    return page(readings, [compare_tokenizations(*readings)])


def vectors_page() -> str:
    from shoal.insight.vectors import describe_vectors
    from shoal.models import load_model
    from shoal.reports import vectors_page as page

    return page(describe_vectors(load_model("bundled:searches"), "One day a cat saw a dog"))


def stories_page() -> str:
    from shoal.evaluation.stories import PairScores, StoryMeasure, StoryRating
    from shoal.evaluation.stories.minimal_pairs import ParadigmScore
    from shoal.reports import rating_page
    from shoal.statistics import wilson_interval

    def rating(model: str, right: int) -> StoryRating:
        part = ParadigmScore(
            paradigm="agreement-across_one", pairs=100, right=right, ties=0, interval=wilson_interval(right, 100)
        )
        low, high = part.interval.low, part.interval.high
        return StoryRating(
            model=model,
            digest="0" * 64,
            parameters=1_900_000,
            measures=(
                StoryMeasure(
                    name="zorro",
                    value=right / 100,
                    low=low,
                    high=high,
                    count=100,
                    clusters=1,
                    better="more",
                    note="pairs",
                ),
            ),
            pairs={"zorro": PairScores(paradigms=(part,), margins=(1.0,) * 100)},
            completions=(),
            judgements=(),
        )

    return rating_page([rating("one", 90), rating("other", 50)], settings={"seed": 0})


def crossed_result() -> CrossedResult:
    from shoal.experiments import Control
    from shoal.experiments.crossed import BlockEffect, CellMean, Confound, CrossedResult, HypothesisResult, SecondView

    def hypothesis(name: str, word: Word, low: float, high: float) -> HypothesisResult:
        return HypothesisResult(
            name=name,
            claim="Pretraining helps <a lot>.",
            comparison="pretraining: pretrained - random",
            direction="better",
            test="permutation",
            verdict=word,
            sentence="Exact match is 0.2 higher with pretraining = pretrained than with random.",
            estimate=0.2,
            low=low,
            high=high,
            confidence=0.95,
            smallest_effect=0.1,
            p_value=0.01,
            corrected_p=0.02,
            freedom=8.0,
            detectable=0.15,
            seeds_needed=None if word == "supported" else 12,
            blocks=(BlockEffect(label="examples 20", estimate=0.1), BlockEffect(label="examples 5", estimate=0.3)),
            trainings=12,
            views=(
                SecondView(name="trainings and items", estimate=0.2, low=0.0, high=0.4, p_value=0.04, note="items too"),
                SecondView(
                    name="mixed model", estimate=None, low=None, high=None, p_value=None, note="it did not converge"
                ),
            ),
            controls=(Control(name="leakage", passed=True, says="none of 20 prompts was seen", numbers={}),),
            confounds=(Confound(name="training steps", present=True, says="optimizer steps: 20 and 5 on average"),),
        )

    cells = tuple(
        CellMean(
            cell=f"{level},{size}",
            levels={"pretraining": level, "examples": size},
            mean=mean,
            sd=0.05,
            values=(mean - 0.05, mean, mean + 0.05),
            seen=1.0,
            steps=20.0,
        )
        for level, size, mean in (
            ("pretrained", "5", 0.5), ("pretrained", "20", 0.6), ("random", "5", 0.2), ("random", "20", 0.5),
        )
    )  # fmt: skip
    return CrossedResult(
        experiment="small",
        preset="default",
        question="What helps?",
        measure="exact match",
        higher_is_better=True,
        confidence=0.95,
        correction="holm",
        seeds=3,
        trainings=12,
        spread=0.05,
        hypotheses=(
            hypothesis("pretraining", "supported", 0.12, 0.28),
            hypothesis("size", "underpowered", -math.inf, math.inf),
        ),
        cells=cells,
    )


def crossed_page() -> str:
    from shoal.reports import crossed_page as page

    return page(crossed_result())


def pretraining_page(folder: Path) -> str:
    from shoal.reports import write_report

    folder.mkdir()
    rows: dict[str, list[dict[str, Any]]] = {
        "metrics": [
            {
                "step": step,
                "loss": 5 * math.exp(-step / 40) + 1,
                "learning_rate": 1e-3,
                "gradient_norm": 1.0,
                "tokens": 1000 * step,
                "seconds": step / 10,
                "cpu_seconds": step / 10,
            }
            for step in range(1, 201)
        ],
        "scores": [
            {"step": step, "corpus": "tales", "bits_per_byte": 4 - step / 100, "low": 1, "high": 5}
            for step in (0, 100, 200)
        ],
        "samples": [{"step": 200, "prompt": "Once", "text": " upon a time <b>"}],
    }
    for name, values in rows.items():
        text = "".join(json.dumps(value) + "\n" for value in values)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "recipe.toml").write_text("", encoding="utf-8")
    score = {"bits_per_byte": 2.0, "low": 1.9, "high": 2.1, "documents": 12, "size": 9000}
    done = {
        "parameters": 80_112,
        "tokens": 200_000,
        "steps": 200,
        "seconds": 20.0,
        "cpu_seconds": 20.0,
        "precision": "float32",
        "held_out": {"tales": score},
        "memorised": None,
    }
    (folder / "done.json").write_text(json.dumps(done), encoding="utf-8")
    return write_report(folder).read_text(encoding="utf-8")


def tuning_page(folder: Path) -> str:
    from shoal.reports import write_tuning_report
    from shoal.training import CurvePoint, HeldOutCurve, HeldOutPoint, OverfittingOnset, TrainedParameters, TrainResult

    points = tuple(
        HeldOutPoint(step=step, loss=2.0, low=1.8, high=2.2, training_loss=1.5, gap=0.5, gap_low=0.3, gap_high=0.7)
        for step in (0, 50, 100)
    )
    onset = OverfittingOnset(step=50, low=40, high=60, confidence=0.95, p_value=0.01, rise=0.2, rise_p_value=0.003)
    curve = HeldOutCurve(
        points=points,
        documents=12,
        confidence=0.95,
        best_step=50,
        returned_step=50,
        stopped_early=True,
        onset=onset,
    )
    steps = tuple(
        CurvePoint(step=step, loss=3.0 / step, learning_rate=1e-3, gradient_norm=1.0, tokens=100 * step)
        for step in range(1, 101)
    )
    result = TrainResult(
        curve=steps,
        precision="float32",
        steps=100,
        seconds=1.0,
        resumed_from=0,
        parameters=TrainedParameters(trained=100, total=100),
        gradient="written out",
        held_out=curve,
    )
    folder.mkdir()
    return write_tuning_report(result, folder).read_text(encoding="utf-8")


def sweep_page(folder: Path) -> str:
    from shoal.experiments.pretraining import recipe_from
    from shoal.experiments.sweeps import Sweep, SweepResult, Trial, UnitRecord, plan_sweep
    from shoal.reports import sweep_content

    recipe = {
        "name": "small",
        "corpus": [{"name": "told", "grammar": 80, "held_out": 0.1}],
        "tokenizer": {"vocabulary": 300},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 64},
        "training": {"tokens": 12_000, "batch_tokens": 512, "precision": "float32"},
    }
    sweep = Sweep.model_validate({"name": "widths", "keys": {"model.width": [16, 32, 64, 128]}})
    plan = plan_sweep(sweep, recipe_from(recipe, "small.toml"))
    trials = tuple(
        Trial(
            number=number,
            settings={"model.width": width},
            units=(
                UnitRecord(
                    trial=number,
                    seed=0,
                    settings={"model.width": width},
                    state="complete",
                    score=3.5 * width**-0.1,
                    parameters=1000 * width,
                    tokens=150_000,
                ),
            ),
        )
        for number, width in enumerate((16, 32, 64, 128))
    )
    found = SweepResult(folder=folder, plan=plan, trials=trials, wanted=4)
    return sweep_content(found, {"model.width": 1.0}, "plan").to_html()


def perplexity_page() -> str:
    from shoal.evaluation.perplexity import compare_perplexities, perplexity
    from shoal.models import load_for_scoring
    from shoal.reports import perplexity_page as page

    texts = ["One day, Lily saw a big dog.", "He <ran> & é ran."]
    reports = [perplexity(load_for_scoring(f"bundled:{name}"), texts, context=8) for name in ("stories", "searches")]
    return page(compare_perplexities(reports))


def words_page() -> str:
    from shoal.insight.words import words
    from shoal.reports import words_page as page

    return page(words("She eats <apples> & is eating. He has eaten a university of the universe. Better is good."))


def word_map_page() -> str:
    from shoal.insight.vectors import map_words
    from shoal.reports import word_map_page as page
    from shoal.text.vectors import WordVectors

    names = tuple(f"<{letter}{other}>" for letter in "abc" for other in "uvwxyz")
    rows = np.random.default_rng(0).normal(size=(18, 6)) + np.repeat(4 * np.eye(3, 6), 6, axis=0)
    vectors = WordVectors(words=names, matrix=rows.astype(np.float32))
    return page(map_words(vectors, [names[0], names[6], names[12]], neighbours=5), source="a & b.txt")


PAGES: dict[str, Callable[[], str]] = {
    "changes": changes_page,
    "segment": segment_page,
    "inspection": inspection_page,
    "layers": layers_page,
    "tokens": tokens_page,
    "vectors": vectors_page,
    "stories": stories_page,
    "crossed": crossed_page,
    "perplexity": perplexity_page,
    "words": words_page,
    "word-map": word_map_page,
}
"""What needs no folder."""


def write_pages(folder: Path) -> dict[str, Path]:
    """Every page but that of a run as a file, by name."""
    htmls = {name: make() for name, make in PAGES.items()}
    htmls["pretraining"] = pretraining_page(folder / "pretraining")
    htmls["tuning"] = tuning_page(folder / "tuning")
    htmls["sweep"] = sweep_page(folder)
    paths = {}
    for name, html in htmls.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_text(html, encoding="utf-8")
    return paths
