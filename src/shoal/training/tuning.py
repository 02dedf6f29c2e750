"""Training on examples, and on a stream of tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.errors import DataError, TooLongError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from os import PathLike

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.progress import Progress
    from shoal.tasks import Example
    from shoal.training.batches import IntArray, Order
    from shoal.training.documents import CorpusShare
    from shoal.training.settings import CurvePoint, TrainResult, TrainSettings


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: Sequence[Example],
    settings: TrainSettings,
    *,
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Fine-tune a causal language model in place; the loss is on the completions alone.

    With a ``folder``, the training is saved there every ``checkpoint_seconds``, and a call with the same arguments
    (the model with its initial weights again) goes on where a killed one was, to the same bits.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        tokenizer: turns the examples into ids, each prompt together with its completion.
        examples: what to learn.
        settings: how; equal settings give equal weights on the same machine with as many threads.
        folder: where the checkpoint lies.
        on_step: gets each point of the curve.
        progress: gets ("training", steps done, steps in all).

    Raises:
        DataError: there are no examples, or one cannot be encoded.
        TooLongError: an example does not fit into the model's context.
        UsageError: a setting is out of range, or dropout is asked of an architecture that has none.
        ModelError: the model is not in float32 or cannot be trained.
        TrainingError: a loss or gradient is not a number; the model keeps the weights before that step.
        StoreError: the checkpoint cannot be written, or is of another training.
        CorruptModelError: the checkpoint is damaged.
    """
    from shoal.text import encode_pairs
    from shoal.training.batches import PackedExamples
    from shoal.training.loop import Watchers, run_training

    check_settings(settings)
    pairs = encode_pairs(tokenizer, [(example.prompt, example.completion, example.ends) for example in examples])
    source = PackedExamples(pairs, settings, context=longest_context(model))
    return run_training(model, source, settings, folder=folder, watchers=Watchers(on_step=on_step, progress=progress))


def pretrain(
    model: PreTrainedModel,
    tokens: IntArray,
    settings: TrainSettings,
    *,
    context: int | None = None,
    order: Order = "random",
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train a causal language model in place on a stream of token ids; every position counts in the loss.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        tokens: one row of ids, documents parted by the end token; may be a memory-mapped array.
        settings: how; ``epochs`` counts passes over as many tokens as the stream has, ``batch_tokens`` the windows.
        context: tokens a window, by default the model's context.
        order: ``random`` starts of windows, or ``sequential`` ones.
        folder: where the checkpoint lies, as in `train`.
        on_step: gets each point of the curve.
        progress: gets ("training", steps done, steps in all).

    Raises:
        DataError: the stream is shorter than a window, is not one row of integers, or has ids that the model lacks.
        TooLongError: ``context`` is longer than the model's.
        UsageError, ModelError, TrainingError, StoreError, CorruptModelError: as in `train`.
    """
    from shoal.training.batches import TokenWindows
    from shoal.training.loop import Watchers, run_training

    check_settings(settings)
    _check_stream(tokens, model.get_input_embeddings().num_embeddings)
    source = TokenWindows(tokens, settings, context=_checked_context(model, context), order=order)
    return run_training(model, source, settings, folder=folder, watchers=Watchers(on_step=on_step, progress=progress))


def pretrain_documents(
    model: PreTrainedModel,
    corpora: Sequence[CorpusShare],
    settings: TrainSettings,
    *,
    context: int | None = None,
    folder: str | PathLike[str] | None = None,
    on_step: Callable[[CurvePoint], None] | None = None,
    progress: Progress | None = None,
) -> TrainResult:
    """Train a causal language model in place on whole documents; none sees another, and every token counts.

    Args:
        model: any causal LM of transformers in float32; it is changed in place.
        corpora: token files and how often each is read.
        settings: how to train; ``epochs`` multiplies the corpora's passes.
        context: tokens of a piece of a document, at most; by default the model's context.
        folder: where the checkpoint lies, as in `train`.
        on_step: called with each point of the curve.
        progress: called with ("training", steps done, steps in all).

    Raises:
        DataError: there are no documents, or a file has ids that the model lacks.
        TooLongError: ``context`` is longer than the model's.
        UsageError, ModelError, TrainingError, StoreError, CorruptModelError: as in `train`.
    """
    from shoal.training.documents import DocumentSource
    from shoal.training.loop import Watchers, run_training

    check_settings(settings)
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
    )
    return run_training(model, source, settings, folder=folder, watchers=Watchers(on_step=on_step, progress=progress))


def _checked_context(model: PreTrainedModel, context: int | None) -> int:
    longest = longest_context(model)
    if context is not None and not 0 < context <= longest:
        raise TooLongError(f"a window of {context} tokens does not fit; the model's context is {longest}")
    return context or longest


def longest_context(model: PreTrainedModel) -> int:
    """The longest document that the model takes, in tokens."""
    from shoal.models import context_of

    return context_of(model) or 2**31


def _check_stream(tokens: IntArray, vocabulary: int) -> None:
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise DataError(f"the stream is {tokens.ndim}-dimensional of {tokens.dtype}; give one row of integers")
    if len(tokens) and not 0 <= int(tokens.min()) <= int(tokens.max()) < vocabulary:
        raise DataError(
            f"the stream has ids from {tokens.min()} to {tokens.max()}; the model knows 0 to {vocabulary - 1}"
        )


def check_settings(settings: TrainSettings) -> None:
    """Refuse settings that are out of range.

    Raises:
        UsageError: one of them is.
    """
    bounds = {
        "learning_rate": settings.learning_rate >= 0,
        "epochs": settings.epochs > 0,
        "batch_tokens": settings.batch_tokens > 0,
        "weight_decay": settings.weight_decay >= 0,
        "beta2": 0 <= settings.beta2 < 1,
        "dropout": 0 <= settings.dropout < 1,
        "micro_tokens": settings.micro_tokens >= 0,
        "matrix_learning_rate": settings.matrix_learning_rate is None or settings.matrix_learning_rate >= 0,
        "warmup": 0 <= settings.warmup <= 1,
        "decay": 0 <= settings.decay <= 1 - (settings.warmup if settings.schedule == "wsd" else 0),
        "gradient_clip": settings.gradient_clip >= 0,
        "checkpoint_seconds": settings.checkpoint_seconds >= 0,
    }
    for name, holds in bounds.items():
        if not holds:
            raise UsageError(f"{name} = {getattr(settings, name)} is out of range; see TrainSettings for its meaning")
