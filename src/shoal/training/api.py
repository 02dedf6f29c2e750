"""What is called to train: fine-tuning on examples and its plan, pretraining on documents or on a stream of tokens."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError, TooLongError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.tasks import Example
    from shoal.text import EncodedPair
    from shoal.training.batches import IntArray, PackedExamples, WindowOrder
    from shoal.training.documents import CorpusShare, DocumentOrder
    from shoal.training.held_out import HeldOutPoint
    from shoal.training.monitoring import Monitoring
    from shoal.training.settings import CurvePoint, TrainResult, TrainSettings
    from shoal.training.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """The size of a training on examples."""

    rows: int
    tokens: int
    """Of all rows, prompts and completions."""

    completion_tokens: int
    """Those that the loss is on."""

    epochs: float
    batch_tokens: int
    steps: int
    rows_per_step: float
    """On average; whole rows are packed into a step, at least one."""

    def line(self) -> str:
        """One line, with what to do where the steps are few."""
        size = (
            f"{self.rows:,} row{'' if self.rows == 1 else 's'} of {self.tokens:,} tokens ({self.completion_tokens:,} "
            f"in completions), {self.epochs:g} epochs: {self.steps:,} step{'' if self.steps == 1 else 's'} of up to "
            f"{self.batch_tokens:,} tokens, {self.rows_per_step:.1f} rows each"
        )
        if self.steps >= self.epochs:
            return size
        return f"{size}; an epoch is less than a step, a smaller --batch-tokens makes more steps"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    settings: TrainSettings,
    *,
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
    monitoring: Monitoring | None = None,
    on_evaluation: Callable[[HeldOutPoint], None] | None = None,
    watch: Watch | None = None,
) -> TrainResult:
    """Fine-tune a causal language model in place; the loss is on the completions alone.

    With a ``folder``, the training is saved there every ``checkpoint_seconds``, and a call with the same arguments
    (the model with its initial weights again) is resumed where a killed one was, to the same bits.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        tokenizer: turns the examples into ids, each prompt together with its completion.
        examples: what to learn; prompts are read and not predicted.
        settings: how to train; equal settings give equal weights on the same machine with as many threads.
        folder: where the checkpoint lies; None writes none.
        on_step: called with each point of the curve.
        progress: called with ("training", steps done, steps in all).
        monitoring: held-out documents that are evaluated on the way; needed by early stopping and ``keep_best``.
        on_evaluation: called with each evaluation of them.
        watch: observes each step; its events are in ``watch.events``.

    Raises:
        DataError: there are no examples, or one cannot be encoded.
        TooLongError: an example does not fit into the model's context.
        UsageError: dropout is above 0 for an architecture that has none, or settings that need held-out documents
            have none.
        ModelError: the model is not in float32 or cannot be trained.
        TrainingError: a loss or gradient is not a number; the model keeps the weights before that step.
        StoreError: the checkpoint cannot be written, or is of another training.
        CorruptModelError: the checkpoint is damaged.
    """
    from shoal.training.loop import Callbacks, run_training

    source, _ = _packed(model, tokenizer, examples, settings)
    callbacks = Callbacks(on_step=on_step, on_evaluation=on_evaluation, progress=progress, watch=watch)
    return run_training(model, source, settings, folder=folder, callbacks=callbacks, monitoring=monitoring)


def plan_training(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example], settings: TrainSettings
) -> TrainPlan:
    """What `train` would do with the same arguments.

    Args:
        model: gives the context.
        tokenizer: turns the examples into ids.
        examples: what would be learnt.
        settings: as for `train`.

    Raises:
        DataError: there are no examples, or one cannot be encoded.
        TooLongError: an example does not fit into the model's context.
    """
    source, pairs = _packed(model, tokenizer, examples, settings)
    return TrainPlan(
        rows=len(pairs),
        tokens=sum(len(pair.ids) for pair in pairs),
        completion_tokens=sum(len(pair.target) for pair in pairs),
        epochs=settings.epochs,
        batch_tokens=settings.batch_tokens,
        steps=source.steps,
        rows_per_step=settings.epochs * len(pairs) / source.steps,
    )


def pretrain(
    model: PreTrainedModel,
    tokens: IntArray,
    settings: TrainSettings,
    *,
    context: int | None = None,
    order: WindowOrder = "random",
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
    monitoring: Monitoring | None = None,
    on_evaluation: Callable[[HeldOutPoint], None] | None = None,
    watch: Watch | None = None,
) -> TrainResult:
    """Train a causal language model in place on a stream of token ids; every position counts in the loss.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        tokens: one row of ids, documents separated by the end token; may be a memory-mapped array.
        settings: how to train; ``epochs`` counts passes over as many tokens as the stream has.
        context: tokens per window, by default the model's context.
        order: ``random`` starts of windows, or ``sequential`` ones.
        folder: where the checkpoint lies, as in `train`.
        on_step: called with each point of the curve.
        progress: called with ("training", steps done, steps in all).
        monitoring: held-out documents that are evaluated on the way; needed by early stopping and ``keep_best``.
        on_evaluation: called with each evaluation of them.
        watch: observes each step; its events are in ``watch.events``.

    Raises:
        DataError: the stream is shorter than a window, is not one row of integers, or has ids that the model lacks.
        TooLongError: ``context`` is longer than the model's.
        UsageError, ModelError, TrainingError, StoreError, CorruptModelError: as in `train`.
    """
    from shoal.training.batches import TokenWindows
    from shoal.training.loop import Callbacks, run_training

    _check_stream(tokens, model.get_input_embeddings().num_embeddings)
    source = TokenWindows(tokens, settings, context=_checked_context(model, context), order=order)
    callbacks = Callbacks(on_step=on_step, on_evaluation=on_evaluation, progress=progress, watch=watch)
    return run_training(model, source, settings, folder=folder, callbacks=callbacks, monitoring=monitoring)


def pretrain_documents(
    model: PreTrainedModel,
    corpora: Sequence[CorpusShare],
    settings: TrainSettings,
    *,
    context: int | None = None,
    order: DocumentOrder = "shuffled",
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
    monitoring: Monitoring | None = None,
    on_evaluation: Callable[[HeldOutPoint], None] | None = None,
    watch: Watch | None = None,
) -> TrainResult:
    """Train a causal language model in place on whole documents; none sees another, and every token counts.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        corpora: token files and how often each is read.
        settings: how to train; ``epochs`` multiplies the corpora's passes.
        context: tokens of a piece of a document, at most; by default the model's context.
        order: of the documents over the passes, as in `DocumentSource`.
        folder: where the checkpoint lies, as in `train`.
        on_step: called with each point of the curve.
        progress: called with ("training", steps done, steps in all).
        monitoring: held-out documents that are evaluated on the way; needed by early stopping and ``keep_best``.
        on_evaluation: called with each evaluation of them.
        watch: observes each step; its events are in ``watch.events``.

    Raises:
        DataError: there are no documents, or a file has ids that the model lacks.
        TooLongError: ``context`` is longer than the model's.
        UsageError, ModelError, TrainingError, StoreError, CorruptModelError: as in `train`.
    """
    from shoal.training.documents import DocumentSource
    from shoal.training.loop import Callbacks, run_training

    vocabulary = model.get_input_embeddings().num_embeddings
    for share in corpora:
        if share.file.vocabulary > vocabulary:
            raise DataError(
                f"{share.name} is of a vocabulary of {share.file.vocabulary}; the model has {vocabulary} tokens"
            )
    source = DocumentSource(
        [replace(share, passes=share.passes * settings.epochs) for share in corpora],
        context=_checked_context(model, context),
        batch_tokens=settings.batch_tokens,
        seed=settings.seed,
        order=order,
    )
    callbacks = Callbacks(on_step=on_step, on_evaluation=on_evaluation, progress=progress, watch=watch)
    return run_training(model, source, settings, folder=folder, callbacks=callbacks, monitoring=monitoring)


def _packed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example], settings: TrainSettings
) -> tuple[PackedExamples, list[EncodedPair]]:
    """The batches of a fine-tuning, and the examples as token ids."""
    from shoal.text import encode_pairs
    from shoal.training.batches import PackedExamples

    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    return PackedExamples(pairs, settings, context=_max_context(model)), pairs


def _checked_context(model: PreTrainedModel, context: int | None) -> int:
    longest = _max_context(model)
    if context is not None and not 0 < context <= longest:
        raise TooLongError(f"a window of {context} tokens does not fit; the model's context is {longest}")
    return context or longest


def _max_context(model: PreTrainedModel) -> int:
    """The longest document that the model takes, in tokens."""
    from shoal.models import context_of

    # A model without a stated context has no limit; an int larger than any document keeps the comparisons plain.
    return context_of(model) or 2**31


def _check_stream(tokens: IntArray, vocabulary: int) -> None:
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise DataError(f"the stream is {tokens.ndim}-dimensional of {tokens.dtype}; give one row of integers")
    # An id beyond the embeddings would be an index error deep in a step on a CPU, and a lost process on a GPU.
    if len(tokens) and not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary:
        raise DataError(
            f"the stream has ids from {tokens.min()} to {tokens.max()}; the model knows 0 to {vocabulary - 1}"
        )
