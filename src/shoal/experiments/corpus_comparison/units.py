"""One training of a comparison done: a model is trained on its corpus, measured on all held-out texts, and recorded.

It can be done any number of times: one that has a record is not done again, one that was interrupted is resumed from
its checkpoint.

Shapes: P pieces of a corpus, R scored rows.
"""

from __future__ import annotations

import math
import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.experiments.corpus_comparison.plan import CorpusComparisonPlan
from shoal.experiments.corpus_comparison.preparation import prepare_corpora, read_prepared
from shoal.experiments.corpus_comparison.shapes import model_of_size
from shoal.experiments.corpus_comparison.trainings import RECORD, ComparedTraining, ComparedTrainingRecord
from shoal.experiments.environment import Stopwatch, set_threads
from shoal.experiments.pretraining.recipe import Recipe
from shoal.experiments.pretraining.tables import CorpusTable, PretrainTable
from shoal.experiments.storage import disk_faults, write_json
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation import ScoringRow
    from shoal.experiments.corpus_comparison.preparation import PreparedCorpora
    from shoal.experiments.pretraining.tokens import TokenizedCorpus
    from shoal.experiments.worker_main import Answering
    from shoal.progress import Progress
    from shoal.training import DocumentSource, TokenFile

PREPARED = "prepared"

# Part of the seed, so that the draw of pieces is independent of those of the order and the weights.
_DRAW = 4


def begin_compared(opening: dict[str, Any], progress: Progress = no_progress) -> Answering:
    """What does the trainings of a comparison; see `shoal.experiments.recorded_work.Beginning`."""
    set_threads(opening["threads"])
    plan = CorpusComparisonPlan.model_validate_json(opening["plan"])
    trainer = CorpusTrainer(Path(opening["folder"]), plan, progress)
    return lambda line: trainer.do(ComparedTraining(**line))


class CorpusTrainer:
    """Does the trainings of one comparison, and reads the data that they share once.

    Args:
        folder: of the comparison, whose data is prepared.
        plan: what is compared.
        progress: called with (what, done, total).
    """

    def __init__(self, folder: Path, plan: CorpusComparisonPlan, progress: Progress = no_progress) -> None:
        self._folder, self._plan, self._progress = folder, plan, progress

    @cached_property
    def _prepared(self) -> PreparedCorpora:
        return read_prepared(self._plan, self._folder / PREPARED)

    @cached_property
    def _rows(self) -> dict[str, list[ScoringRow]]:
        return {
            name: excerpt_rows(self._prepared.tokenizer, excerpts, self._plan.context)
            for name, excerpts in self._prepared.held_out.items()
        }

    def do(self, training: ComparedTraining) -> dict[str, Any]:
        """Do a training, unless it is done; give what it took, as a row of ``timings.jsonl``.

        Args:
            training: which one.

        Raises:
            StoreError: the folder is full or cannot be written.
            TrainingError: the loss is no number.
        """
        place, stopwatch = self._folder / training.place, Stopwatch()
        with disk_faults(self._folder):
            place.mkdir(parents=True, exist_ok=True)
            if not (place / RECORD).is_file():
                write_json(place / RECORD, self._record(training, place).to_dict())
                shutil.rmtree(place / "checkpoint", ignore_errors=True)
        return {"place": training.place, **stopwatch.cost()}

    def _record(self, training: ComparedTraining, place: Path) -> ComparedTrainingRecord:
        from shoal.experiments.pretraining.planning import build_recipe_model, train_settings
        from shoal.models import find_device
        from shoal.training import Callbacks, run_training

        recipe = training_recipe(self._plan, training.size, training.seed)
        source, unique = training_source(recipe, self._prepared.corpora[training.corpus], self._plan, training)
        model = build_recipe_model(recipe, self._prepared.tokenizer).to(find_device(recipe.device))
        result = run_training(
            model,
            source,
            train_settings(recipe, source.steps, "float32"),
            folder=place / "checkpoint",
            callbacks=Callbacks(progress=self._progress),
        )
        # The loss of one step is that of one batch.
        last = result.curve[-max(1, len(result.curve) // 10) :]
        return ComparedTrainingRecord(
            size=training.size,
            design=training.design,
            corpus=training.corpus,
            seed=training.seed,
            parameters=sum(weight.numel() for weight in model.parameters()),
            unique=unique,
            tokens=result.curve[-1].tokens,
            steps=result.curve[-1].step,
            loss=math.fsum(point.loss for point in last) / len(last),
            bits_per_byte=self._bits(model),
        )

    def _bits(self, model: PreTrainedModel) -> dict[str, float]:
        """Bits per byte of each held-out text."""
        from shoal.evaluation import log_likelihoods, scoring_mode

        found = {}
        with scoring_mode(model):
            for name, rows in self._rows.items():
                size = sum(len(text.encode("utf-8", "surrogatepass")) for text in self._prepared.held_out[name])
                found[name] = -math.fsum(log_likelihoods(model, rows)) / math.log(2) / size
        return found


def training_recipe(plan: CorpusComparisonPlan, size: int, seed: int) -> Recipe:
    """The recipe of the models of a size.

    Args:
        plan: what is compared.
        size: parameters.
        seed: of the weights and the order.
    """
    corpora = tuple(CorpusTable(**table.model_dump(), held_out=0.0) for table in plan.corpus)
    training = PretrainTable(
        **plan.training.model_dump(),
        tokens=plan.training_tokens,
        # Pieces from within a document have no end token before them, so that all are read with what stands there.
        bare=0.0,
        order="fresh",
    )
    model = model_of_size(size, plan.vocabulary, plan.context)
    return Recipe(name=plan.name, seed=seed, corpus=corpora, model=model, training=training, device=plan.device)


def training_source(
    recipe: Recipe, corpus: TokenizedCorpus, plan: CorpusComparisonPlan, training: ComparedTraining
) -> tuple[DocumentSource, int]:
    """The batches of a training, and how many unique tokens they come from.

    Args:
        recipe: has the size of a step and the seed.
        corpus: what is read.
        plan: says how many tokens.
        training: its design and seed.
    """
    from shoal.training import CorpusShare, DocumentSource

    wanted = plan.unique if training.design == "equal" else plan.training_tokens
    file = drawn_pieces(corpus.file, plan.context, wanted, training.seed)
    source = DocumentSource(
        [CorpusShare(file=file, name=training.corpus)],
        context=plan.context,
        batch_tokens=recipe.training.batch_tokens,
        seed=training.seed,
        tokens=plan.training_tokens,
        order=recipe.training.order,
        bare=recipe.training.bare,
    )
    return source, int((file.lengths - 1).sum())


def drawn_pieces(file: TokenFile, context: int, tokens: int, seed: int) -> TokenFile:
    """Pieces of a corpus in random order with just so many tokens to predict, or all that it has.

    Documents are cut into pieces first: a corpus of few long books then gives parts of all of them, and not two books.

    Args:
        file: the corpus.
        context: tokens to predict of a piece, at most.
        tokens: to predict, in all.
        seed: of the draw.
    """
    from shoal.training import cut_pieces, tokens_in_memory

    pieces = cut_pieces(file, None, context)
    order_P = np.random.default_rng([seed, _DRAW]).permutation(len(pieces.lengths_P))
    documents = []
    for place in order_P.tolist():
        if tokens <= 0:
            break
        start, length = int(pieces.starts_P[place]), min(int(pieces.lengths_P[place]), tokens)
        # The token before the first one that is predicted is read: the end of the last document, or the text before.
        documents.append(file.tokens[start : start + length + 1])
        tokens -= length
    return tokens_in_memory(documents, vocabulary=file.vocabulary)


def excerpt_rows(tokenizer: PreTrainedTokenizerFast, excerpts: Sequence[str], context: int) -> list[ScoringRow]:
    """Excerpts as rows to be scored, without an end token: they may be the beginning of a longer text.

    Args:
        tokenizer: of the models.
        excerpts: the texts.
        context: tokens that the models read.
    """
    from shoal.evaluation import ScoringRow, document_opening
    from shoal.experiments.pretraining.scoring import scoring_windows
    from shoal.text import plain_ids

    opening = list(document_opening(tokenizer))
    rows: list[ScoringRow] = []
    for text_ids in plain_ids(tokenizer, list(excerpts)):
        ids = [*opening, *text_ids]
        for start, boundary, stop in scoring_windows(len(ids), len(opening), context):
            rows.append(ScoringRow(len(rows), tuple(ids[start:stop]), boundary - start, 0, stop - boundary))
    return rows


def prepare_shared(folder: Path, plan: CorpusComparisonPlan, progress: Progress = no_progress) -> PreparedCorpora:
    """The data of a comparison in its folder.

    Args:
        folder: of the comparison.
        plan: what is compared.
        progress: called with (what, done, total).

    Raises:
        ShoalError: as `prepare_corpora`.
    """
    return prepare_corpora(plan, folder / PREPARED, progress=progress)
