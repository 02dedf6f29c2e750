"""What a comparison of corpora is made of: the corpora, the held-out texts, sizes, tokens and seeds; read from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from shoal.experiments.corpus_comparison.shapes import model_of_size
from shoal.experiments.loading import located_source, read_named_table, validated, with_changes
from shoal.experiments.pretraining.tables import DocumentsTable, FreshTable
from shoal.experiments.tables import Confidence, Count, Name, RunPlan

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

TokenDesign = Literal["equal", "whole"]
"""``equal``: every corpus gives equally many unique tokens; ``whole``: each gives all that it has, so that a small one
is read more often. Training tokens are equal in both."""

MEAN = "mean"
"""The mean over the held-out texts, each counting alike."""

PARTS = ("better", "worse", "random")
"""What filters make of a corpus: what stays, what goes, and documents of both in their shares."""


class ComparedTrainingTable(FreshTable):
    """How the models are trained: all alike."""

    batch_tokens: Count = 2048


class CorpusComparisonPlan(RunPlan):
    """A comparison of corpora, as its folder keeps it."""

    plan_file = "comparison.toml"
    holds = "comparison of corpora"
    written_by = "shoal curate compare"

    name: Name = "corpora"
    corpus: Annotated[tuple[DocumentsTable, ...], Field(strict=False, min_length=1)]
    """What is compared; with filters, what they divide, all of them together."""

    held_out: Annotated[tuple[DocumentsTable, ...], Field(strict=False, min_length=1)]
    """Texts on which the models are measured, and which no filter has made."""

    filters: str | None = None
    """Filters as `shoal.curation.split_specs` reads them: then ``better``, ``worse`` and ``random`` are compared."""

    unique: Count = 500_000
    """Tokens that each corpus gives."""

    tokens: Count | None = None
    """Tokens that each model is trained on; None for as many as are unique."""

    designs: Annotated[tuple[TokenDesign, ...], Field(strict=False, min_length=1)] = ("equal",)
    parameters: Annotated[tuple[Annotated[int, Field(ge=1000)], ...], Field(strict=False, min_length=1)] = (300_000,)
    """The sizes of the models: Llamas of about so many parameters."""

    seeds: Annotated[int, Field(ge=2, le=20)] = 3
    """Models of each corpus and size. A seed draws the documents, the fresh weights and the order."""

    vocabulary: Count = 1024
    """Of the one tokenizer, learned on equally many characters of each corpus."""

    context: Annotated[int, Field(ge=16)] = 256
    training: ComparedTrainingTable = ComparedTrainingTable()
    held_out_documents: Annotated[int, Field(ge=2)] = 100
    """Documents of each held-out text that are scored, drawn by their ids."""

    held_out_characters: Annotated[int, Field(ge=100)] = 1000
    """Of a longer document only the beginning is scored."""

    run: Annotated[int, Field(ge=3)] = 13
    """A document that shares so many words in succession with a held-out text is not trained on (13 as in Brown et al.
    2020, appendix C)."""

    confidence: Confidence = 0.95
    threads: Count = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _fits(self) -> CorpusComparisonPlan:
        if self.filters is None and len(self.corpus) < 2:
            raise ValueError(
                "one corpus cannot be compared with another; give two corpora or more, or filters that divide it"
            )
        for key, tables in (("corpus", self.corpus), ("held_out", self.held_out)):
            names = [table.name for table in tables]
            repeated = next((name for name in names if names.count(name) > 1), None)
            if repeated is not None:
                raise ValueError(f"{key}: two are called {repeated!r}; give each its own name, as in NAME=SOURCE")
        if len(self.held_out) > 1 and any(table.name == MEAN for table in self.held_out):
            raise ValueError(f"held_out: {MEAN!r} is what the mean of several texts is called; give another name")
        for held in self.held_out:
            for corpus in self.corpus:
                if held.source is not None and (held.source, held.column) == (corpus.source, corpus.column):
                    raise ValueError(
                        f"the held-out text {held.name!r} is the corpus {corpus.name!r} ({held.source}); give a text "
                        "that no model is trained on"
                    )
        if len(set(self.parameters)) != len(self.parameters):
            raise ValueError(f"parameters = {list(self.parameters)}: a size stands there twice; give each once")
        return self

    @property
    def compared(self) -> tuple[str, ...]:
        """The names of what is compared."""
        return PARTS if self.filters is not None else tuple(table.name for table in self.corpus)

    @property
    def training_tokens(self) -> int:
        """That each model is trained on."""
        return self.tokens or self.unique

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the models, the smallest first."""
        return tuple(sorted(self.parameters))


def load_corpus_comparison(
    path: str | os.PathLike[str],
    *,
    data: str | os.PathLike[str] | None = None,
    values: Mapping[str, Any] | None = None,
) -> CorpusComparisonPlan:
    """Read a comparison of corpora.

    Args:
        path: a TOML file with the keys of `CorpusComparisonPlan`.
        data: the folder from which its sources are found; by default the one that the file lies in.
        values: changes by dotted key, such as ``{"seeds": 5, "training.learning_rate": 1e-3}``.

    Raises:
        ExperimentFileError: the file cannot be read, is broken, or has an unknown key or a value out of range.
        UnknownNameError, UsageError: filters that there are not.
    """
    table = read_named_table(path, kind="a comparison, such as examples/compare_tiny.toml", default_name="corpora")
    folder = data if data is not None else Path(path).parent
    return corpus_comparison_from(table, str(path), data=folder, values=values)


def corpus_comparison_from(
    table: Mapping[str, Any],
    source: str = "the comparison",
    *,
    data: str | os.PathLike[str] = ".",
    values: Mapping[str, Any] | None = None,
) -> CorpusComparisonPlan:
    """A comparison from plain values.

    Args:
        table: the keys of `CorpusComparisonPlan`.
        source: what an error message calls it.
        data: the folder from which its sources are found.
        values: changes by dotted key.

    Raises:
        ExperimentFileError: an unknown key, or a value out of range.
        UnknownNameError, UsageError: filters that there are not, or a size too small for the vocabulary.
    """
    from shoal.curation import find_filters, split_specs

    whole = with_changes(table, values)
    for key in ("corpus", "held_out"):
        given = whole.get(key)
        if isinstance(given, list | tuple):
            whole[key] = [located_source(one, Path(data)) for one in given]
    plan = validated(CorpusComparisonPlan, whole, source)
    # Here, and not after the corpora were read.
    for size in plan.parameters:
        model_of_size(size, plan.vocabulary, plan.context)
    if plan.filters is not None:
        find_filters(split_specs(plan.filters))
    return plan
