"""Tokenizers trained on a corpus: byte-level BPE, SentencePiece unigram and SentencePiece BPE."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from shoal.errors import DataError, UnknownNameError, UsageError
from shoal.files import atomic_folder
from shoal.text.bpe import train_bpe
from shoal.textfiles import check_characters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from transformers import PreTrainedTokenizerFast

TokenizerKind = Literal["bpe", "unigram", "sentencepiece-bpe"]
KINDS: tuple[TokenizerKind, ...] = get_args(TokenizerKind)


def train_tokenizer(
    texts: Iterable[str], *, kind: TokenizerKind, vocabulary: int, context: int = 2048
) -> PreTrainedTokenizerFast:
    """Learn a tokenizer; equal texts in equal order give an equal one.

    Numbers stay a few tokens whatever the corpus holds: in unary one for each four ones, in decimal one or two digits
    each.

    Args:
        texts: the documents, read once.
        kind: ``bpe`` (byte-level), ``unigram`` or ``sentencepiece-bpe``.
        vocabulary: the number of tokens.
        context: the longest text in tokens of the model that it is for.

    Raises:
        UnknownNameError: another kind.
        UsageError: a vocabulary too small for the bytes, or larger than the corpus gives.
        DataError: there is no text, or one with half of a surrogate pair.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of tokenizer", kind, KINDS)
    seen = _counted(texts)
    tokenizer = _TRAINERS[kind](seen, vocabulary, context)
    # BPE stops early, without an error, where no two neighbours are left to merge.
    # A smaller tokenizer than requested would make two runs of one recipe differ by their corpus alone.
    if len(tokenizer) < vocabulary:
        raise UsageError(
            f"the corpus gives {len(tokenizer)} tokens at most, not the requested {vocabulary}; take "
            f"{len(tokenizer)}, or give more text"
        )
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: str | Path) -> None:
    """Write ``tokenizer.json`` and its settings, as `AutoTokenizer.from_pretrained` reads them.

    Args:
        tokenizer: what `train_tokenizer` gives.
        folder: a new folder, or one that holds a tokenizer alone, which is replaced whole.

    Raises:
        UsageError: the folder holds something else.
        OSError: it cannot be written; nothing half-written is left.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or not _is_tokenizer(folder)):
        raise UsageError(f"{folder} holds other files; give a new folder for the tokenizer")
    with atomic_folder(folder) as fresh:
        tokenizer.save_pretrained(fresh)


def _is_tokenizer(folder: Path) -> bool:
    """Whether the folder is empty or holds the files of a tokenizer alone."""
    known = {
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "vocabulary.json",
        "chat_template.jinja",
    }
    return {file.name for file in folder.iterdir()} <= known


def _counted(texts: Iterable[str]) -> Iterator[str]:
    """The texts; an error where none of them holds anything."""
    empty = True
    for number, text in enumerate(texts, start=1):
        check_characters(text, f"document {number}")
        empty = empty and not text.strip()
        yield text
    if empty:
        raise DataError("the corpus holds no text; a tokenizer needs some to learn from")


def _train_bpe(texts: Iterable[str], vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    return train_bpe(texts, vocabulary=vocabulary, context=context)


def _train_unigram(texts: Iterable[str], vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    return _train_pieces(texts, vocabulary, context, "unigram")


def _train_piece_bpe(texts: Iterable[str], vocabulary: int, context: int) -> PreTrainedTokenizerFast:
    return _train_pieces(texts, vocabulary, context, "bpe")


def _train_pieces(
    texts: Iterable[str], vocabulary: int, context: int, model: Literal["unigram", "bpe"]
) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    from shoal.text.sentencepiece_training import BEGIN, END, UNKNOWN, train_pieces

    return PreTrainedTokenizerFast(
        tokenizer_object=train_pieces(texts, vocabulary=vocabulary, model=model),
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


_TRAINERS: dict[TokenizerKind, Callable[[Iterable[str], int, int], PreTrainedTokenizerFast]] = {
    "bpe": _train_bpe,
    "unigram": _train_unigram,
    "sentencepiece-bpe": _train_piece_bpe,
}
