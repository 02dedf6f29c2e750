"""One training of a comparison done: a recipe is trained, the model scored token by token, and its record written last.

It can be done any number of times: one that has a record is not done again, one that was interrupted is resumed from
its checkpoint.
"""

from __future__ import annotations

import math
import shutil
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import MissingExtraError, ShoalError, StoreError
from shoal.experiments.environment import Stopwatch, set_threads
from shoal.experiments.overfitting.recipe import OverfitPlan
from shoal.experiments.overfitting.texts import mixture_table, scored_texts, training_log_likelihoods
from shoal.experiments.overfitting.trainings import PARTS, TrainingRecord, training_from, training_place
from shoal.experiments.storage import disk_faults, read_record, write_json
from shoal.experiments.sweeps.units import locked
from shoal.files import atomic_file
from shoal.progress import no_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel

    from shoal.experiments.overfitting.texts import ScoredText
    from shoal.experiments.overfitting.trainings import Lesson, PlannedTraining
    from shoal.experiments.pretraining import Recipe
    from shoal.experiments.pretraining.data import Prepared
    from shoal.experiments.worker_main import Answering
    from shoal.progress import Progress
    from shoal.training import CorpusShare, DocumentSource, Teacher

RECORD = "done.json"
PREPARED = "prepared"
TABLES = "log_p.npz"
"""log p of each token of each part of the text."""

TRAINING_TABLES = "training_log_p.npz"
"""log p of each training token, for the next member of a boosted mixture."""

_OF_THE_RUN = (StoreError, MissingExtraError)
"""Faults that every further training would meet too."""

# Texts that are sampled at a time, each with a seed of its own.
_SAMPLED_AT_ONCE = 64


def begin_trainings(opening: dict[str, Any], progress: Progress = no_progress) -> Answering:
    """What does the trainings of a comparison; see `shoal.experiments.recorded_work.Beginning`."""
    set_threads(opening["threads"])
    plan = OverfitPlan.model_validate_json(opening["plan"])
    return lambda line: do_training(Path(opening["folder"]), plan, training_from(line), progress)


def do_training(
    folder: Path, plan: OverfitPlan, training: PlannedTraining, progress: Progress = no_progress
) -> dict[str, Any]:
    """Do a training, unless it is done.

    Args:
        folder: of the comparison.
        plan: what is compared.
        training: what to do; what it needs is done.
        progress: called with (what, done, total).

    Returns:
        What it took, as a row of ``timings.jsonl``.

    Raises:
        StoreError: the folder is full or cannot be written.
        MissingExtraError: the recipe needs an optional part that is not installed.
    """
    place, stopwatch = folder / training_place(training.key), Stopwatch()
    with disk_faults(folder):
        place.mkdir(parents=True, exist_ok=True)
        if not (place / RECORD).is_file():
            write_json(place / RECORD, _record(folder, place, plan, training, progress).to_dict())
            # After the record: a kill between the two leaves a folder behind, and loses no training.
            shutil.rmtree(place / "checkpoint", ignore_errors=True)
    return {"place": training_place(training.key), **stopwatch.cost()}


def read_training(folder: Path, key: str) -> TrainingRecord | None:
    """The record of a training; None where it has none yet.

    Args:
        folder: of the comparison.
        key: of the training.

    Raises:
        StoreError: it is damaged.
    """
    return read_record(folder / training_place(key) / RECORD, TrainingRecord)


def failed_record(training: PlannedTraining, reason: str) -> TrainingRecord:
    """The record of a training that could not be done.

    Args:
        training: what was to be done.
        reason: in one line.
    """
    return TrainingRecord(key=training.key, seed=training.seed, state="failed", reason=" ".join(reason.split()))


def read_tables(folder: Path, key: str, name: str = TABLES) -> dict[str, Any]:
    """The log-probabilities that a model gave, by part of the text or by corpus.

    Args:
        folder: of the comparison.
        key: of its training.
        name: of the file.

    Raises:
        StoreError: the file is absent or damaged.
    """
    file = folder / training_place(key) / name
    try:
        # Opened here, since NumPy leaves a file open that is no archive.
        with file.open("rb") as raw, np.load(raw) as tables:
            return {part: tables[part] for part in tables.files}
    # An empty file ends NumPy's reading with the second, one that was cut short with the third.
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, ValueError) as error:
        raise StoreError(
            f"{file} cannot be read ({error}); delete its folder and give the same command again"
        ) from error


def _record(
    folder: Path, place: Path, plan: OverfitPlan, training: PlannedTraining, progress: Progress
) -> TrainingRecord:
    try:
        return _Work(folder, place, plan, training, progress).do()
    except _OF_THE_RUN:
        raise
    except ShoalError as fault:
        # Records are the same wherever the folder lies.
        return failed_record(training, str(fault).replace(f"{folder}/", ""))


@dataclass
class _Work:
    """The steps of one training."""

    folder: Path
    place: Path
    plan: OverfitPlan
    training: PlannedTraining
    progress: Progress
    other_compute: float = 0.0

    def do(self) -> TrainingRecord:
        """Train, score, save."""
        from shoal.experiments.pretraining.planning import build_recipe_model, train_settings
        from shoal.models import find_device, model_digest, save_model
        from shoal.training import Callbacks, Monitoring, run_training

        recipe, prepared = self.recipe, self.prepared
        source, notes = self._source()
        teacher, taught = self._teacher()
        model = build_recipe_model(recipe, prepared.tokenizer).to(find_device(recipe.device))
        settings = train_settings(recipe, source.steps)
        monitoring = None
        if settings.early_stopping_patience or settings.keep_best:
            # The validation text: what decides when to stop may not be what is reported.
            monitoring = Monitoring(held_out=self.texts["validation"].monitored())
        result = run_training(
            model,
            source,
            settings,
            folder=self.place / "checkpoint",
            callbacks=Callbacks(progress=self.progress),
            monitoring=monitoring,
            teacher=teacher,
        )
        model.eval().cpu()
        nats, sizes = self._score(model)
        save_model(model, prepared.tokenizer, self.place / "model")
        parameters, tokens = _parameters(model), result.curve[-1].tokens
        return TrainingRecord(
            key=self.training.key,
            seed=self.training.seed,
            state="complete",
            parameters=parameters,
            tokens=tokens,
            steps=result.curve[-1].step,
            other_compute=self.other_compute + taught * tokens,
            digest=model_digest(model),
            nats=nats,
            sizes=sizes,
            notes=notes,
        )

    @cached_property
    def recipe(self) -> Recipe:
        """The recipe of this training."""
        own = {"seed": self.training.seed, "training.tokens": self.training.tokens}
        return self.plan.recipe.with_values(dict(self.training.values) | own)

    @cached_property
    def prepared(self) -> Prepared:
        """The documents, the tokenizer and the tokens, which all trainings share."""
        from shoal.experiments.pretraining.data import prepare_data

        cache = self.folder / PREPARED
        cache.mkdir(exist_ok=True)
        # One process at a time: the others find what it has written.
        with locked(cache / ".lock", "the corpora", timeout=math.inf):
            return prepare_data(self.recipe, cache)

    @cached_property
    def texts(self) -> dict[str, ScoredText]:
        """What the model is scored on."""
        return scored_texts(self.prepared, self.recipe, self.plan.overfit.documents)

    def _source(self) -> tuple[DocumentSource, dict[str, float]]:
        """The batches, and what is worth knowing of how they were chosen."""
        from shoal.experiments.pretraining.data import document_source, seen_shares

        prepared, notes = self.prepared, {}
        shares = seen_shares(self.recipe, prepared.corpora, prepared.split)
        if self.training.draw == "bootstrap":
            shares = tuple(self._resampled(share) for share in shares)
        if self.training.draw == "boosted" and self.training.earlier:
            weights, notes["effective share of the tokens"] = self._token_weights()
            shares = tuple(replace(share, weights=weights[share.name]) for share in shares)
        if self.training.lesson is not None and self.training.lesson.sampled:
            shares = (*shares, self._written_by_teacher(self.training.lesson, shares))
        return document_source(self.recipe, prepared.tokenizer, shares), notes

    def _resampled(self, share: CorpusShare) -> CorpusShare:
        """A bootstrap sample of the documents that may be read."""
        from shoal.training import bootstrap_counts

        seen_D = self.prepared.split.seen[share.name]
        copies_D = np.zeros(len(seen_D), dtype=np.int64)
        copies_D[seen_D] = bootstrap_counts(int(seen_D.sum()), self.training.seed)
        return replace(share, copies=copies_D)

    def _token_weights(self) -> tuple[dict[str, Any], float]:
        """How much each training token counts, by corpus, and the share of the tokens that this is worth."""
        from shoal.statistics import fit_mixture, mixture_log_likelihoods
        from shoal.training import token_weights

        earlier = self.training.earlier
        validation = [read_tables(self.folder, key) for key in earlier]
        weights = fit_mixture(mixture_table(validation, "validation")).weights
        tables = [read_tables(self.folder, key, TRAINING_TABLES) for key in earlier]
        # Places that no training reads have no log p under any member.
        scored = {name: ~np.isnan(table) for name, table in tables[0].items()}
        logs_N = np.concatenate(
            [mixture_log_likelihoods(mixture_table(tables, name)[scored[name]], weights) for name in scored]
        )
        found = token_weights(logs_N, max_weight=self.plan.overfit.max_weight)
        ends = np.cumsum([int(mask_T.sum()) for mask_T in scored.values()])[:-1]
        placed = {}
        for (name, mask_T), weights_N in zip(scored.items(), np.split(found.weights_N, ends), strict=True):
            placed[name] = np.ones(len(mask_T), dtype=np.float32)
            placed[name][mask_T] = weights_N
        return placed, found.effective

    def _teacher(self) -> tuple[Teacher | None, float]:
        """What a distilled model learns from, and the operations that it costs per token of the student."""
        from shoal.models import EnsembleForCausalLM, model_digest
        from shoal.training import Teacher

        lesson = self.training.lesson
        if lesson is None:
            return None, 0.0
        members = self._members(lesson)
        ensemble = EnsembleForCausalLM(members, lesson.weights).eval()
        teacher = Teacher(
            model=ensemble,
            digest=model_digest(ensemble),
            temperature=lesson.temperature,
            share=lesson.share,
        )
        return teacher, 2.0 * _parameters(ensemble)

    def _members(self, lesson: Lesson) -> list[PreTrainedModel]:
        from shoal.models import load_model

        places = [self.folder / training_place(key) / "model" for key in lesson.members]
        return [load_model(str(place), device=self.recipe.device).model for place in places]

    def _written_by_teacher(self, lesson: Lesson, shares: tuple[CorpusShare, ...]) -> CorpusShare:
        """Documents that the teacher's members wrote, one each, as a corpus with its share of the tokens."""
        from shoal.evaluation import document_opening
        from shoal.models import EnsembleForCausalLM, sample_ensemble
        from shoal.training import CorpusShare, cut_pieces, tokens_in_memory

        ensemble = EnsembleForCausalLM(self._members(lesson), lesson.weights, mixture="text").eval()
        tokenizer = self.prepared.tokenizer
        opening, end = document_opening(tokenizer), int(tokenizer.eos_token_id)
        context = self.recipe.training.context or self.recipe.model.context
        length = context - len(opening)
        read = [float(cut_pieces(share.file, share.seen, context).lengths_P.sum()) * share.passes for share in shares]
        # No more than there is of the corpora: the rest is read again, as they are.
        wanted = min(lesson.sampled * self.training.tokens, sum(read))
        documents: list[list[int]] = []
        while (done := sum(map(len, documents))) < wanted:
            # Far apart, so that the documents of one training are not those of the next, moved by some places.
            seeds = [self.training.seed * 1_000_003 + len(documents) + place for place in range(_SAMPLED_AT_ONCE)]
            written = sample_ensemble(
                ensemble, [opening] * _SAMPLED_AT_ONCE, seeds, [length] * _SAMPLED_AT_ONCE, end_id=end
            )
            documents += [[*opening, *ids] for ids in written]
            self.progress("tokens written by the teacher", min(done, int(wanted)), int(wanted))
        # One member writes each document.
        self.other_compute += 2.0 * _parameters(ensemble) / len(lesson.members) * sum(map(len, documents))
        file = tokens_in_memory(documents, vocabulary=len(tokenizer))
        length_written = float(cut_pieces(file, None, context).lengths_P.sum())
        # So that what is written is the share `sampled` of all tokens that are read: s / (1 - s) of the other ones.
        passes = lesson.sampled / (1 - lesson.sampled) * sum(read) / length_written
        return CorpusShare(file=file, name="written by the teacher", passes=passes, opening=len(opening))

    def _score(self, model: PreTrainedModel) -> tuple[dict[str, float], dict[str, int]]:
        """Write log p of each token, and give the sum and the bytes of each part of the text."""
        texts = self.texts
        tables = {part: texts[part].log_likelihoods(model) for part in PARTS}
        _write_tables(self.place / TABLES, tables)
        if self.training.draw == "boosted":
            tables_T = training_log_likelihoods(model, self.prepared, self.recipe)
            self.other_compute += (
                2.0 * _parameters(model) * sum(int((~np.isnan(one)).sum()) for one in tables_T.values())
            )
            _write_tables(self.place / TRAINING_TABLES, tables_T)
        # An exact sum: in float32 the sum over many tokens loses what rows differ by.
        nats = {part: -math.fsum(table.tolist()) for part, table in tables.items()}
        return nats, {part: texts[part].size for part in PARTS}


def _parameters(model: PreTrainedModel) -> int:
    return sum(weight.numel() for weight in model.parameters())


def _write_tables(file: Path, tables: Mapping[str, Any]) -> None:
    # An open file and no name: NumPy would write to the partial name with .npz behind it.
    with atomic_file(file) as partial, partial.open("wb") as out:
        np.savez_compressed(out, **dict(tables))
