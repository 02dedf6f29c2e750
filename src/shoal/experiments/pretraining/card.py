"""The card of a trained model, ``README.md`` in its folder: what it read, how it was trained, and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.experiments.storage import read_json_rows, write_text
from shoal.models import find_architecture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.pretraining.planning import PretrainPlan
    from shoal.experiments.pretraining.recipe import Recipe
    from shoal.experiments.pretraining.records import PretrainResult
    from shoal.experiments.pretraining.tables import CorpusTable


def write_card(recipe: Recipe, plan: PretrainPlan, result: PretrainResult, sources: Mapping[str, str]) -> None:
    """Write the card of a finished run.

    Args:
        recipe: what was done.
        plan: the corpora as they were read.
        result: what was measured.
        sources: the commits of hub data sets, by corpus.

    Raises:
        StoreError: the disk is full.
    """
    parts = [
        f"# {recipe.name}",
        _model(recipe, plan, result),
        "## The training text",
        _corpora(recipe, plan, result, sources),
        "## Memorised text",
        _memorised(result),
        "## Samples",
        _samples(recipe, result),
    ]
    write_text(result.model / "README.md", "\n\n".join(parts) + "\n")


def _model(recipe: Recipe, plan: PretrainPlan, result: PretrainResult) -> str:
    shape, how = recipe.model, recipe.training
    kind = find_architecture(shape.kind).class_name
    blocks = "1 block" if shape.layers == 1 else f"{shape.layers} blocks"
    return (
        f"A `{kind}` of {result.parameters:,} parameters: {blocks} of width {shape.width} with "
        f"{shape.heads} heads, a context of {shape.context} tokens, {plan.vocabulary:,} tokens in the vocabulary. "
        f"Trained from scratch by `shoal pretrain` on {result.tokens:,} tokens in {result.steps:,} steps of "
        f"{how.batch_tokens:,} ({how.optimizer}, peak rate {how.learning_rate:g}, {how.schedule}, {result.precision}, "
        f"seed {recipe.seed}), which took {result.cpu_seconds:,.0f} CPU-seconds."
    )


def _corpora(recipe: Recipe, plan: PretrainPlan, result: PretrainResult, sources: Mapping[str, str]) -> str:
    lines = [
        "| corpus | from | documents | bytes | held out | held-out bits per byte | licence |",
        "|---|---|---|---|---|---|---|",
    ]
    for corpus, read in zip(recipe.corpus, plan.corpora, strict=True):
        score = result.held_out.get(corpus.name)
        ends = "" if score is None else score.interval(".3f")
        bits = "" if score is None else f"{score.bits_per_byte:.3f}" + (f" [{ends}]" if ends else "")
        lines.append(
            f"| {corpus.name} | {sources.get(corpus.name) or _origin(corpus)} | {read.documents:,} | {read.size:,} | "
            f"{read.held_out:,} | {bits} | {corpus.licence} |"
        )
    return "\n".join(lines)


def _origin(corpus: CorpusTable) -> str:
    """Where the documents come from; of a file its name alone, since its path is that of one machine."""
    if corpus.source is not None:
        return corpus.source.rpartition("/")[2]
    source = "the story grammar" if corpus.grammar is not None else "the matching grammar"
    return f"{source} of shoal, seed {corpus.seed}"


def _memorised(result: PretrainResult) -> str:
    held = result.memorised
    if held is None:
        return "Not counted."
    return (
        f"Of {held.training_prefixes} training prefixes of {held.prefix_tokens} tokens, {held.training} are continued "
        f"greedily with the text's own next {held.tokens} tokens; of {held.held_out_prefixes} held-out prefixes, "
        f"{held.held_out}."
    )


def _samples(recipe: Recipe, result: PretrainResult) -> str:
    rows = [row for row in read_json_rows(result.folder / "samples.jsonl") if row["step"] == result.model_step]
    if not rows:
        return "None were drawn."
    quoted = (f"> **{row['prompt']}**{' '.join(('|' + row['text']).split())[1:]}" for row in rows)
    return "\n\n".join([f"At temperature {recipe.evaluation.temperature:g}.", *quoted])
