"""One text as a tokenizer reads it: each token with its id, its characters and its kind."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.text import check_coverage

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

Kind = Literal["text", "special", "byte", "unknown"]

_BYTE_NAME = re.compile(r"<0x[0-9A-F]{2}>")
_NAMED = ("bos", "eos", "pad", "unk")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPiece:
    """One token of a text."""

    id: int
    """Its place in the vocabulary."""

    token: str
    """As it is written in the vocabulary (a leading space may be Ġ or ▁ there)."""

    text: str
    """The characters it covers; empty for a token that the tokenizer added."""

    start: int
    stop: int
    """Which characters of the text those are; of a special token that was added, both are where it stands."""

    kind: Kind
    """``special``: added by the tokenizer or a control token; ``byte``: a part of a character, or one spelt by its
    bytes; ``unknown``: the characters are lost; else ``text``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """A text and the tokens that a tokenizer makes of it."""

    model: str
    """The spec that the tokenizer came from."""

    text: str

    pieces: tuple[TokenPiece, ...]
    """All of them, those included that the tokenizer adds by its own policy."""

    named: dict[str, tuple[str, int] | None]
    """The beginning (bos), end (eos), pad and unknown (unk) token with its id; None where there is none."""

    vocabulary: int
    """How many tokens there are to choose from."""

    decoded: str
    """What decoding the text's own tokens gives."""

    @property
    def plain(self) -> tuple[TokenPiece, ...]:
        """The tokens of the text alone, without those that the tokenizer adds."""
        return tuple(piece for piece in self.pieces if piece.text)

    @property
    def round_trip(self) -> bool:
        """Whether decoding gives the text back, to the last character."""
        return self.decoded == self.text

    @property
    def first_difference(self) -> int | None:
        """The first character at which the decoded text is another one; None where it is the same."""
        if self.round_trip:
            return None
        pairs = zip(self.text, self.decoded, strict=False)
        shorter = min(len(self.text), len(self.decoded))
        return next((place for place, (ours, theirs) in enumerate(pairs) if ours != theirs), shorter)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "model": self.model,
            "characters": len(self.text),
            "bytes": len(self.text.encode()),
            "tokens": len(self.plain),
            "tokens_with_special": len(self.pieces),
            "vocabulary": self.vocabulary,
            "named": self.named,
            "round_trip": self.round_trip,
            "first_difference": self.first_difference,
            "pieces": [asdict(piece) for piece in self.pieces],
        }


def read_tokens(tokenizer: PreTrainedTokenizerFast, text: str, *, model: str = "") -> TokenReading:
    """Read a text with a tokenizer.

    Args:
        tokenizer: a fast tokenizer (one that knows which characters a token covers).
        text: any text; the empty one has only the tokens that the tokenizer adds.
        model: a name for the reading, usually the spec.
    """
    check_coverage(tokenizer, [text])
    batch = tokenizer(
        text, add_special_tokens=True, return_offsets_mapping=True, return_special_tokens_mask=True, verbose=False
    )
    ids, offsets, added = batch["input_ids"], batch["offset_mapping"], batch["special_tokens_mask"]
    tokens = tokenizer.convert_ids_to_tokens(ids)
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    pieces: list[TokenPiece] = []
    reached = 0
    for place, (id_, token, (start, stop), was_added) in enumerate(zip(ids, tokens, offsets, added, strict=True)):
        if was_added and start == stop:
            pieces.append(TokenPiece(id=id_, token=token, text="", start=reached, stop=reached, kind="special"))
            continue
        part = is_part(offsets, place)
        kind: Kind = "special" if id_ in special else "byte" if part or _BYTE_NAME.fullmatch(token) else "text"
        if id_ == tokenizer.unk_token_id:
            kind = "unknown"
        if not part:
            start = min(start, reached)  # a leading space that some tokenizers leave out of the offsets
        pieces.append(TokenPiece(id=id_, token=token, text=text[start:stop], start=start, stop=stop, kind=kind))
        reached = max(reached, stop)
    plain = [piece.id for piece in pieces if piece.text]
    return TokenReading(
        model=model,
        text=text,
        pieces=tuple(pieces),
        named={name: _named(tokenizer, name) for name in _NAMED},
        vocabulary=len(tokenizer),
        decoded=_decode(tokenizer, plain),
    )


def is_part(offsets: list[tuple[int, int]], place: int) -> bool:
    """Whether a token shares its characters with a neighbour: one character's bytes spread over several tokens."""
    start, stop = offsets[place]
    before = place > 0 and offsets[place - 1][1] > start
    after = place + 1 < len(offsets) and offsets[place + 1][0] < stop and offsets[place + 1][1] > 0
    return start < stop and (before or after)


def byte_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """The ids that stand for one byte by name (``<0x0A>``), which SentencePiece falls back to."""
    names = tokenizer.convert_tokens_to_ids([f"<0x{byte:02X}>" for byte in range(256)])
    return frozenset(id_ for id_ in names if id_ is not None and id_ != tokenizer.unk_token_id)


def _named(tokenizer: PreTrainedTokenizerFast, name: str) -> tuple[str, int] | None:
    """A token that has a role, and its id."""
    token, id_ = getattr(tokenizer, f"{name}_token"), getattr(tokenizer, f"{name}_token_id")
    return None if token is None or id_ is None else (str(token), int(id_))


def _decode(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    """The text of token ids, nothing tidied."""
    if not ids:
        return ""
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
