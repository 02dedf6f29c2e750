"""The tables of a recipe: corpora, tokenizer, model, training, stages, and what is measured."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shoal.experiments.pretraining.trackers import Tracker
from shoal.experiments.tables import (
    Count,
    LearningTable,
    Name,
    NotNegative,
    Positive,
    SettingsTable,
    ShareOrZero,
    Whole,
    registered_name,
)
from shoal.models import architecture_names
from shoal.training import DocumentOrder  # noqa: TC001 - pydantic reads it

TrackerName = Annotated[str, registered_name(lambda: Tracker.registry)]
_KINDS = ("source", "grammar", "mixture")
_OWN = {"source": ("easiest_books", "column"), "grammar": ("features", "instruct"), "mixture": ("longest",)}
"""What is said of one kind of documents alone."""


class DocumentsTable(SettingsTable):
    """One source of documents: a file, folder or hub data set, or stories of our own grammars."""

    name: Name
    source: str | None = None
    """A path from the folder of the recipe (or of ``--data``), or ``hub:org/name[@revision][:split]``."""

    grammar: Count | None = None
    """So many stories of the story grammar instead (`shoal stories`)."""

    mixture: dict[str, Positive] | None = None
    """Stories of the matching grammar instead: the weight of each kind (`shoal.corpora.generate_stories`)."""

    stories: Count | None = None
    """How many stories of the mixture."""

    longest: Count = 36
    """The most things that are met in a story of the mixture before the sought one."""

    seed: Whole = 0
    """Of stories of our own; equal seeds give equal stories."""

    features: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """What every story of the grammar has, as ``dialogue``."""

    instruct: bool = False
    """Whether stories of the grammar stand behind their instruction."""

    easiest_books: Count | None = None
    """Of a folder of books with a table of difficulty, how many of the easiest are taken."""

    column: str = "text"
    documents: Count | None = None
    """The most documents that are taken; None for all."""

    clean: Literal["none", "plain", "full"] = "plain"
    """``plain``: Unicode, quotes, dashes and spaces; ``full``: mis-decoded text and boilerplate besides."""

    language: str | None = None
    """Keep documents of this language alone, as ``en``; with ``full`` cleaning."""

    deduplicate: bool = False
    """Drop documents that repeat an earlier one, exactly or nearly."""

    drop_counting: bool = False
    """Drop paragraphs in which three numbers ascend by one."""

    @model_validator(mode="after")
    def _one_kind(self) -> DocumentsTable:
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            held = " and ".join(given) or "none of them"
            raise ValueError(f"corpus {self.name!r} has {held}; give one of source, grammar and mixture")
        if (self.mixture is None) != (self.stories is None):
            raise ValueError(f"corpus {self.name!r}: mixture and stories belong together; give both or none")
        self._refuse_unused()
        if self.language is not None and self.clean != "full":
            raise ValueError(f"corpus {self.name!r}: language is identified by full cleaning; set clean = 'full'")
        return self

    def _refuse_unused(self) -> None:
        """Refuse what is of another kind of documents and would be ignored; at its default it may stand there."""
        for kind, names in _OWN.items():
            unused = [name for name in names if getattr(self, name) != type(self).model_fields[name].default]
            if unused and getattr(self, kind) is None:
                raise ValueError(f"corpus {self.name!r}: {unused[0]} belongs to {kind}; leave it out")


class CorpusTable(DocumentsTable):
    """A source of documents that a recipe trains on."""

    held_out: ShareOrZero = 0.02
    """Share of the documents, chosen by their ids, that the model is scored on and never sees."""

    passes: Positive = 1.0
    """How often its documents are read where there are no stages; a part of a pass is allowed."""

    licence: str = "not stated"


class TokenizerTable(SettingsTable):
    """A tokenizer learned on the corpora, or one that is there."""

    source: str | None = None
    """A folder or another model spec, whose tokenizer is taken; None to learn one."""

    kind: Literal["bpe", "unigram", "sentencepiece-bpe"] = "bpe"
    vocabulary: Count | Literal["auto"] = 1024
    """How many tokens; ``auto`` takes the size with the fewest bits per byte of held-out documents."""

    documents: Count = 20_000
    """The most documents that it is learned on."""

    corpora: Annotated[tuple[Name, ...], Field(strict=False)] = ()
    """Whose documents it is learned on; none for all corpora."""

    @model_validator(mode="after")
    def _learned_or_taken(self) -> TokenizerTable:
        unused = [name for name in type(self).model_fields if name != "source" and self._is_changed(name)]
        if self.source is not None and unused:
            raise ValueError(
                f"tokenizer.{unused[0]} is of a tokenizer that is learned, and tokenizer.source names one that is "
                "there; give one of them"
            )
        return self

    def _is_changed(self, name: str) -> bool:
        return bool(getattr(self, name) != type(self).model_fields[name].default)


class ModelTable(SettingsTable):
    """The shape of the model."""

    kind: Annotated[str, registered_name(architecture_names)] = "llama"
    """The architecture: one of `shoal.models.architecture_names`."""

    width: Count = 64
    layers: Count = 4
    """Transformer blocks."""

    heads: Count = 4
    inner: Count | None = None
    """Width of the feed-forward layers; None for 8/3 of the width (Llama) or 4 times the width (GPT-Neo)."""

    context: Count = 512
    tied: bool = True
    """Whether the head uses the weights of the embedding."""

    initial_spread: Positive = 0.02
    """Standard deviation of the fresh weights."""


class FreshTable(LearningTable):
    """How a model is trained from fresh weights."""

    learning_rate: Positive = 3e-3
    batch_tokens: Count = 4096
    beta2: ShareOrZero | None = None
    """None for one by the number of steps: Adam averages squared gradients over a fifth of them; 0.999 with Muon."""

    weight_decay: NotNegative = 0.1
    warmup: ShareOrZero = 0.02


class PretrainTable(FreshTable):
    """How it is trained."""

    tokens: Count | None = None
    """Tokens to train on, over all stages in their proportions; None for the sum of the passes or the stages."""

    context: Count | None = None
    """Longer documents are cut into pieces of at most this many tokens; None for the model's context."""

    order: DocumentOrder = "shuffled"
    """``shuffled`` mixes the passes of a stage; ``fresh`` reads pass after pass, each in an order and steps of its own;
    ``fixed`` all passes in those of the first; ``given`` as they stand."""

    bare: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the documents that are read without the end token before them, as a prompt is; from the others the model
    learns how a text begins. A tokenizer that puts a token of its own before a text always has it."""


class StageTable(SettingsTable):
    """A part of the training with its own mixture; the stages follow each other under one schedule."""

    tokens: Count
    shares: Annotated[dict[Name, Positive], Field(min_length=1)]
    """From a corpus to its share of the stage's tokens; shares are weights and need not sum to 1."""


class PretrainEvaluationTable(SettingsTable):
    """What is measured of the model, and how often."""

    documents: Count = 200
    """The most held-out documents of each corpus that are scored."""

    every: Count | None = None
    """Steps between two scorings; None for ten in all."""

    held_out_ids: str | None = None
    """A file of ids, one per line: just these documents are held out (see ``held_out.txt`` of a run)."""

    prompts: Annotated[tuple[str, ...], Field(strict=False)] = ("Once upon a time",)
    sample_tokens: Count = 60
    temperature: NotNegative = 0.8
    """Of the samples; 0 for the greedy continuation."""

    memorised: Whole = 200
    """Training prefixes, and as many held-out ones, whose true continuation is looked for in the greedy one."""

    prefix_tokens: Count = 32
    memorised_tokens: Count = 32
    """How many tokens must be equal."""

    @model_validator(mode="after")
    def _different_prompts(self) -> PretrainEvaluationTable:
        if len(set(self.prompts)) != len(self.prompts):
            raise ValueError(
                "a prompt stands twice in evaluation.prompts; each has one sample, so that it may stand once"
            )
        return self


class CheckpointsTable(SettingsTable):
    """The models that are saved on the way: after 0, 1, 2, 4, ... steps and then at equal distances (as Pythia)."""

    every: Count | None = None
    """Steps between two checkpoints once the powers of two have grown to this; None saves none."""
