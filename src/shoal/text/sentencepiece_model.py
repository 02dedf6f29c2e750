"""SentencePiece BPE vocabularies: read from the files that hold one, and made into a fast tokenizer of `transformers`.

A ``*.model`` file is a protocol buffer (``sentencepiece_model.proto`` of google/sentencepiece); the few fields that
matter are read here, so that neither ``protobuf`` nor ``sentencepiece`` has to be imported. A llama2.c ``tok*.bin``
file is the longest piece's length, then a score, a length and the bytes of each piece.

SentencePiece's BPE has no list of merges: it joins the neighbours whose union is the piece of the highest score, the
leftmost at a tie. Here each piece brings one merge for each way of cutting it into two pieces, ranked by its score,
which gives the same ids.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError
from shoal.wording import in_one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"
"""What stands for a space inside a piece."""

_BPE = 2
_BYTE_NAME = re.compile(r"<0x[0-9A-F]{2}>")
_LLAMA2C_SPECIAL = {0: "<unk>", 1: "<s>", 2: "</s>"}


class Role(IntEnum):
    """What a piece is for, with the numbers of SentencePiece."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class VocabularyPiece:
    """One entry of the vocabulary; its place is its id."""

    text: str
    score: float
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVocabulary:
    """A SentencePiece BPE vocabulary and how text is prepared for it."""

    pieces: tuple[VocabularyPiece, ...]

    dummy_prefix: bool = True
    """Whether a space is put before the text."""

    squeeze_spaces: bool = False
    """Whether spaces at both ends are dropped and runs of them become one."""

    character_map: bytes = b""
    """SentencePiece's compiled normalization table; empty where text is left as it is."""


def load_sentencepiece_tokenizer(path: str | os.PathLike[str]) -> PreTrainedTokenizerFast:
    """The tokenizer of a SentencePiece ``*.model`` or a llama2.c ``tok*.bin`` file, with the ids that the file gives.

    It puts the beginning token before a text, as llama2.c does.

    Raises:
        CorruptModelError: the file is not a whole BPE vocabulary, or lacks the token for the unknown, begin or end.
    """
    from transformers import PreTrainedTokenizerFast

    path = Path(path)
    vocabulary = read_pieces(path)
    unknown, begin, end = _special_texts(vocabulary, path)
    try:
        tokenizer = build_tokenizer(vocabulary, unknown, begin)
    except Exception as error:  # the tokenizers library raises nothing narrower where it cannot read the table
        raise CorruptModelError(f"{path} is not a whole tokenizer file: {in_one_line(error)}") from error
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=unknown,
        bos_token=begin,
        eos_token=end,
        clean_up_tokenization_spaces=False,
    )


def build_tokenizer(vocabulary: PieceVocabulary, unknown: str, begin: str) -> Tokenizer:
    """The `tokenizers` pipeline of a vocabulary: normalizer, BPE, beginning token, decoder.

    Args:
        vocabulary: the pieces; their places are their ids.
        unknown: the text of the token for what has none.
        begin: the text of the token that is put before each text.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

    ids = {piece.text: index for index, piece in enumerate(vocabulary.pieces)}
    byte_fallback = any(piece.role is Role.BYTE for piece in vocabulary.pieces)
    tokenizer = Tokenizer(
        # Characters in succession without a piece are one unknown token, as SentencePiece has it.
        models.BPE(vocab=ids, merges=merges(vocabulary), unk_token=unknown, fuse_unk=True, byte_fallback=byte_fallback)
    )
    tokenizer.normalizer = normalizers.Sequence(_normalizers(vocabulary))
    tokenizer.decoder = decoders.Sequence(_decoders(vocabulary))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, ids[begin])]
    )
    special = [piece.text for piece in vocabulary.pieces if piece.role in (Role.UNKNOWN, Role.CONTROL)]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return tokenizer


def merges(vocabulary: PieceVocabulary) -> list[tuple[str, str]]:
    """Every way of joining two pieces into a third, the third's highest score first, in the order of ids at a tie."""
    scores = {piece.text: piece.score for piece in vocabulary.pieces if piece.role is Role.NORMAL}
    ranked = sorted(scores, key=lambda text: -scores[text])
    return [
        (text[:cut], text[cut:])
        for text in ranked
        for cut in range(1, len(text))
        if text[:cut] in scores and text[cut:] in scores
    ]


def read_pieces(path: Path) -> PieceVocabulary:
    """Read a ``*.model`` or a llama2.c ``tok*.bin`` file.

    Raises:
        CorruptModelError: the file is cut short, is not of the kind that its name says, or holds no BPE vocabulary.
    """
    data = path.read_bytes()
    try:
        vocabulary = _from_llama2c(data) if path.suffix == ".bin" else _from_sentencepiece(data, path)
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
        raise CorruptModelError(
            f"{path} is not a whole tokenizer file ({error}); expected a SentencePiece *.model or a llama2.c tok*.bin"
        ) from error
    if len(vocabulary.pieces) < 3:
        raise CorruptModelError(f"{path} holds {len(vocabulary.pieces)} pieces; expected <unk>, <s>, </s> and text")
    return vocabulary


def _from_llama2c(data: bytes) -> PieceVocabulary:
    pieces: list[VocabularyPiece] = []
    # Behind the length of the longest piece, which is for llama2.c's buffers.
    place = 4
    while place < len(data):
        score, length = struct.unpack_from("<fi", data, place)
        place += 8 + length
        if length < 0 or place > len(data):
            raise ValueError(f"piece {len(pieces)} says it has {length} bytes")
        text = data[place - length : place].decode("utf-8")
        pieces.append(_llama2c_piece(len(pieces), text, score))
    return PieceVocabulary(pieces=tuple(pieces))


def _llama2c_piece(index: int, text: str, score: float) -> VocabularyPiece:
    if index in _LLAMA2C_SPECIAL:
        return VocabularyPiece(_LLAMA2C_SPECIAL[index], score, Role.CONTROL if index else Role.UNKNOWN)
    if _BYTE_NAME.fullmatch(text):
        return VocabularyPiece(text, score, Role.BYTE)
    return VocabularyPiece(text.replace(" ", SPACE), score, Role.NORMAL)


def _from_sentencepiece(data: bytes, path: Path) -> PieceVocabulary:
    pieces: list[VocabularyPiece] = []
    trainer: dict[int, int | bytes] = {}
    normalizer: dict[int, int | bytes] = {}
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            pieces.append(_sentencepiece_piece(dict(_fields(value))))
        elif number == 2 and isinstance(value, bytes):
            trainer = dict(_fields(value))
        elif number == 3 and isinstance(value, bytes):
            normalizer = dict(_fields(value))
    # Fields of trainer_spec and normalizer_spec: 3 is the type (unigram by default) and below 2 the table, 3 the
    # dummy prefix, 4 the removal of extra spaces.
    if trainer.get(3, 1) != _BPE:
        raise CorruptModelError(f"{path} is not a BPE vocabulary; only SentencePiece models of the BPE type are read")
    # 24: pieces hold the space behind a word, and not the one before it.
    if trainer.get(24, 0):
        raise CorruptModelError(f"{path} has spaces at the end of pieces, which are not read; train it without")
    # SentencePiece cuts a text at these before it joins anything, which merges cannot do.
    whole = [piece.text for piece in pieces if piece.role is Role.USER_DEFINED]
    if whole:
        raise CorruptModelError(f"{path} has user-defined symbols ({whole[0]!r}), which are not read; train it without")
    character_map = normalizer.get(2, b"")
    return PieceVocabulary(
        pieces=tuple(pieces),
        dummy_prefix=bool(normalizer.get(3, True)),
        squeeze_spaces=bool(normalizer.get(4, True)),
        character_map=character_map if isinstance(character_map, bytes) else b"",
    )


def _sentencepiece_piece(fields: dict[int, int | bytes]) -> VocabularyPiece:
    text, score, role = fields.get(1, b""), fields.get(2, bytes(4)), fields.get(3, Role.NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, bytes) or not isinstance(role, int):
        raise ValueError("a piece has a field of the wrong type")  # noqa: TRY004 - a file's fault, caught by read_pieces
    return VocabularyPiece(text.decode("utf-8"), struct.unpack("<f", score)[0], Role(role))


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The (field number, value) pairs of a protocol buffer message."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == 2:
            length, place = _varint(data, place)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"unknown wire type {wire}")
        place += length
        if place > len(data):
            raise ValueError("a field goes past the end of the file")
        yield number, data[place - length : place]


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _special_texts(vocabulary: PieceVocabulary, path: Path) -> tuple[str, str, str]:
    """The texts of the unknown, the beginning and the end token."""
    unknown = [piece.text for piece in vocabulary.pieces if piece.role is Role.UNKNOWN]
    control = [piece.text for piece in vocabulary.pieces if piece.role is Role.CONTROL]
    if not unknown or not {"<s>", "</s>"} <= set(control):
        raise CorruptModelError(f"{path} has the special tokens {unknown + control}; expected <unk>, <s> and </s>")
    return unknown[0], "<s>", "</s>"


def _normalizers(vocabulary: PieceVocabulary) -> list[object]:
    from tokenizers import Regex, normalizers

    steps: list[object] = []
    if vocabulary.character_map:
        steps.append(normalizers.Precompiled(vocabulary.character_map))
    if vocabulary.squeeze_spaces:
        steps.append(normalizers.Replace(Regex(r"\A +| +\z"), ""))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    if vocabulary.dummy_prefix:
        # Behind the squeezing, which would take the prefix off again.
        steps.append(normalizers.Prepend(SPACE))
    steps.append(normalizers.Replace(" ", SPACE))
    if vocabulary.squeeze_spaces:
        # At the end SentencePiece drops the mark itself too, where a text has it.
        steps.append(normalizers.Replace(Regex(rf"{SPACE}+\z"), ""))
    return steps


def _decoders(vocabulary: PieceVocabulary) -> list[object]:
    from tokenizers import decoders

    # Fused before the prefix is stripped, which would otherwise be taken off every piece.
    steps: list[object] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if vocabulary.dummy_prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return steps
