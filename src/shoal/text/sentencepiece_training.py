"""SentencePiece tokenizers (unigram or BPE) trained by its own library and written as a `tokenizers` tokenizer.

Unigram is Kudo 2018 (arXiv:1804.10959), the library Kudo & Richardson 2018 (arXiv:1808.06226). Bytes stand in for
characters that are not in the vocabulary, so nothing is lost; text is left as it is, runs of spaces included. A digit
is a token of its own, but for runs of the digit 1, which are cut into fours, so that unary numbers stay short.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Literal

from shoal.errors import DataError, UsageError
from shoal.text.sentencepiece_model import SPACE, PieceVocabulary, Role, VocabularyPiece, build_tokenizer
from shoal.wording import in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tokenizers import Tokenizer

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
SMALLEST = 300
"""The 256 bytes, three special tokens, and some characters."""

_CHUNKS = {"11": 3.0, "1111": 2.0, "111": 1.0, "1": 0.0}
"""Pieces for unary numbers, with scores above all others, in the order in which BPE must join them."""

_BEST = -0.001
"""The score of such a piece in a unigram model, where fewer of them must score higher than more."""

_ESCAPE = "\ufdd0"
"""A noncharacter, which Unicode keeps for use inside programs: no piece holds it, so it is spelled by its bytes."""

_ESCAPED = ((_ESCAPE, "0"), (SPACE, "1"), ("<", "2"))
"""What is written as the escape and a digit inside the tokenizer, the escape first."""

_NAMES = r"<(?=(?:unk|/?s|0x[0-9A-F]{2})>)"
"""Where a text spells a piece that stands for no text, or for a byte; a unigram model would take that piece."""

_LONGEST_LINE = 4000
_TOO_LARGE = re.compile(r"(?:<=|less than or equal to) ?(\d+)")


def train_pieces(texts: Iterable[str], *, vocabulary: int, model: Literal["unigram", "bpe"]) -> Tokenizer:
    """Learn a tokenizer of ``vocabulary`` pieces.

    Args:
        texts: the documents.
        vocabulary: the number of tokens, the 256 bytes and the three special tokens included.
        model: how pieces are learned.

    Raises:
        UsageError: a vocabulary too small for the bytes, or larger than the corpus gives.
        DataError: the library cannot learn from the texts.
    """
    if vocabulary < SMALLEST:
        raise UsageError(f"a vocabulary of {vocabulary} tokens is too small; bytes and characters need {SMALLEST}")
    import sentencepiece

    trained = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=_lines(texts),
            model_writer=trained,
            vocab_size=vocabulary,
            model_type=model,
            byte_fallback=True,
            split_digits=True,
            user_defined_symbols=list(_CHUNKS),
            character_coverage=0.9999,  # rarer characters are spelled by their bytes
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            # Counted in bytes, of which a character takes four at most.
            max_sentence_length=4 * _LONGEST_LINE,
            num_threads=1,  # so that equal texts give an equal vocabulary
            minloglevel=2,
        )
    except RuntimeError as error:
        raise _explain(error, vocabulary) from error
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    pieces = tuple(_piece(processor, place) for place in range(processor.get_piece_size()))
    whole = PieceVocabulary(pieces=pieces)
    return _escape_marks(build_tokenizer(whole, UNKNOWN, BEGIN) if model == "bpe" else _build_unigram(whole))


def _escape_marks(tokenizer: Tokenizer) -> Tokenizer:
    """Let a text keep what means something inside the tokenizer: the block that stands for a space, names of pieces."""
    from tokenizers import Regex, decoders, normalizers

    patterns: dict[str, str | Regex] = {_ESCAPE: _ESCAPE, SPACE: SPACE, "<": Regex(_NAMES)}
    steps = [normalizers.Replace(patterns[character], _ESCAPE + digit) for character, digit in _ESCAPED]
    tokenizer.normalizer = normalizers.Sequence([*steps, tokenizer.normalizer])
    back = [decoders.Replace(_ESCAPE + digit, character) for character, digit in reversed(_ESCAPED)]
    tokenizer.decoder = decoders.Sequence([tokenizer.decoder, *back])
    return tokenizer


def _build_unigram(vocabulary: PieceVocabulary) -> Tokenizer:
    """A unigram tokenizer that prepares and decodes text as the BPE one does."""
    from tokenizers import AddedToken, Tokenizer, models

    shared = build_tokenizer(vocabulary, UNKNOWN, BEGIN)
    scores = [(piece.text, min(piece.score, _BEST)) for piece in vocabulary.pieces]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=True))
    tokenizer.normalizer = shared.normalizer
    tokenizer.decoder = shared.decoder
    tokenizer.post_processor = shared.post_processor
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in (UNKNOWN, BEGIN, END)])
    return tokenizer


def _piece(processor: Any, place: int) -> VocabularyPiece:
    text, score = processor.id_to_piece(place), processor.get_score(place)
    if text in _CHUNKS:
        return VocabularyPiece(text, _CHUNKS[text], Role.NORMAL)
    if processor.is_byte(place):
        return VocabularyPiece(text, score, Role.BYTE)
    if processor.is_unknown(place):
        return VocabularyPiece(text, score, Role.UNKNOWN)
    return VocabularyPiece(text, score, Role.CONTROL if processor.is_control(place) else Role.NORMAL)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of the texts, long ones in parts: the library skips what is too long for it."""
    for text in texts:
        for line in text.split("\n"):
            for start in range(0, len(line), _LONGEST_LINE):
                # SentencePiece would take the mark for its own sign of a space, and `_escape_marks` keeps it out of
                # the pieces.
                yield line[start : start + _LONGEST_LINE].replace(SPACE, " ")


def _explain(error: RuntimeError, vocabulary: int) -> UsageError | DataError:
    most = _TOO_LARGE.search(str(error))
    if most:
        return UsageError(
            f"the corpus gives {most[1]} tokens at most, not the requested {vocabulary}; take {most[1]}, or give more "
            "text"
        )
    return DataError(f"SentencePiece cannot learn from this corpus: {in_one_line(error, limit=160)}")
