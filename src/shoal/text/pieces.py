"""The vocabulary of a SentencePiece BPE tokenizer, read from either of the two files that hold one.

A ``*.model`` file is a protocol buffer (``sentencepiece_model.proto`` of google/sentencepiece); the few fields that
matter are read here, so that neither ``protobuf`` nor ``sentencepiece`` has to be imported. A llama2.c ``tok*.bin``
file is the longest piece's length, then a score, a length and the bytes of each piece.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
class Piece:
    """One entry of the vocabulary; its place is its id."""

    text: str
    score: float
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceVocabulary:
    """A SentencePiece BPE vocabulary and how text is prepared for it."""

    pieces: tuple[Piece, ...]

    dummy_prefix: bool = True
    """Whether a space is put before the text."""

    squeeze_spaces: bool = False
    """Whether spaces at both ends are dropped and runs of them become one."""

    character_map: bytes = b""
    """SentencePiece's compiled normalization table; empty where text is left as it is."""


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
    pieces: list[Piece] = []
    place = 4
    while place < len(data):
        score, length = struct.unpack_from("<fi", data, place)
        place += 8 + length
        if length < 0 or place > len(data):
            raise ValueError(f"piece {len(pieces)} says it has {length} bytes")
        text = data[place - length : place].decode("utf-8")
        pieces.append(_llama2c_piece(len(pieces), text, score))
    return PieceVocabulary(pieces=tuple(pieces))


def _llama2c_piece(index: int, text: str, score: float) -> Piece:
    if index in _LLAMA2C_SPECIAL:
        return Piece(_LLAMA2C_SPECIAL[index], score, Role.CONTROL if index else Role.UNKNOWN)
    if _BYTE_NAME.fullmatch(text):
        return Piece(text, score, Role.BYTE)
    return Piece(text.replace(" ", SPACE), score, Role.NORMAL)


def _from_sentencepiece(data: bytes, path: Path) -> PieceVocabulary:
    pieces: list[Piece] = []
    trainer: dict[int, int | bytes] = {}
    normalizer: dict[int, int | bytes] = {}
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            pieces.append(_sentencepiece_piece(dict(_fields(value))))
        elif number == 2 and isinstance(value, bytes):
            trainer = dict(_fields(value))
        elif number == 3 and isinstance(value, bytes):
            normalizer = dict(_fields(value))
    if trainer.get(3, 1) != _BPE:
        raise CorruptModelError(f"{path} is not a BPE vocabulary; only SentencePiece models of the BPE type are read")
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


def _sentencepiece_piece(fields: dict[int, int | bytes]) -> Piece:
    text, score, role = fields.get(1, b""), fields.get(2, bytes(4)), fields.get(3, Role.NORMAL)
    if not isinstance(text, bytes) or not isinstance(score, bytes) or not isinstance(role, int):
        raise ValueError("a piece has a field of the wrong type")  # noqa: TRY004 - a file's fault, caught by read_pieces
    return Piece(text.decode("utf-8"), struct.unpack("<f", score)[0], Role(role))


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
