"""One text as a tokenizer reads it: each token with its id, its characters and its kind.

A tokenizer without a token for a character leaves the character out without a word, and what is shown would be of
another text. So every text of this room is encoded here, where such a text is refused.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.text import check_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas
    from transformers import BatchEncoding, PreTrainedTokenizerFast


def encode_texts(
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    *,
    max_tokens: int | None = None,
    special_tokens: bool = True,
) -> list[list[int]]:
    """Encode texts as a model reads them.

    Args:
        tokenizer: the tokenizer of the model.
        texts: what is read; an empty text may have no ids.
        max_tokens: cut each text after this many tokens; None reads all of it.
        special_tokens: add the tokens that the tokenizer puts around a text.

    Raises:
        DataError: a character has no token.
    """
    if not texts:  # tokenizers raise on an empty batch
        return []
    check_coverage(tokenizer, texts)
    rows: list[list[int]] = tokenizer(
        list(texts), add_special_tokens=special_tokens, return_attention_mask=False, verbose=False
    )["input_ids"]
    # Cut here: the truncation of a tokenizer keeps its end token, and a text that is cut off has not ended.
    return [row[:max_tokens] for row in rows]


def encode_with_offsets(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], *, documents: bool = False
) -> BatchEncoding:
    """Encode texts and keep which characters each token covers (``offset_mapping``, ``special_tokens_mask``).

    Args:
        tokenizer: a fast tokenizer (one that knows which characters a token covers).
        texts: what is read.
        documents: read each as a document: without the tokens that are put around a text, and with the control tokens
            that it mentions letter by letter.

    Raises:
        DataError: a character has no token.
    """
    check_coverage(tokenizer, texts, split_special_tokens=documents)
    return tokenizer(
        list(texts),
        add_special_tokens=not documents,
        split_special_tokens=documents,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        verbose=False,
    )


Kind = Literal["text", "special", "byte", "unknown"]

_BYTE_NAME = re.compile(r"<0x[0-9A-F]{2}>")
_NAMED = ("bos", "eos", "pad", "unk")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPiece:
    """One token of a text."""

    id: int
    """Its number in the vocabulary."""

    token: str
    """As it is written in the vocabulary (a leading space may be Ġ or ▁ there)."""

    text: str
    """The characters it covers; empty for a token that the tokenizer added."""

    start: int
    stop: int
    """The range of those characters in the text; empty for a special token that was added."""

    kind: Kind
    """``special``: added by the tokenizer or a control token; ``byte``: a part of a character, or one spelt by its
    bytes; ``unknown``: the characters are lost; else ``text``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReading:
    """A text and its tokens by one tokenizer."""

    model: str
    """The model spec of the tokenizer."""

    text: str

    pieces: tuple[TokenPiece, ...]
    """All tokens, including those that the tokenizer adds by its own policy."""

    named: dict[str, tuple[str, int] | None]
    """The beginning (bos), end (eos), pad and unknown (unk) token with its id; None where there is none."""

    vocabulary: int
    """Size of the vocabulary."""

    decoded: str
    """The decoded tokens of the text, without those that the tokenizer adds."""

    @property
    def plain(self) -> tuple[TokenPiece, ...]:
        """The tokens of the text, without those that the tokenizer adds."""
        return tuple(piece for piece in self.pieces if piece.text)

    @property
    def round_trip(self) -> bool:
        """Whether the decoded text equals the text, to the last character."""
        return self.decoded == self.text

    @property
    def first_difference(self) -> int | None:
        """The first character at which the decoded text differs; None where it is the same."""
        if self.round_trip:
            return None
        pairs = zip(self.text, self.decoded, strict=False)
        shorter = min(len(self.text), len(self.decoded))
        return next((place for place, (ours, theirs) in enumerate(pairs) if ours != theirs), shorter)

    def __str__(self) -> str:
        title = (
            f"{self.model}: {len(self.plain)} tokens ({len(self.pieces)} with special ones), {len(self.text)} "
            f"characters, {len(self.text.encode())} bytes, vocabulary {self.vocabulary}"
        )
        named = [
            f"  {role}  {'none' if found is None else f'{found[0]!r} = {found[1]}'}"
            for role, found in self.named.items()
        ]
        width = max((len(repr(piece.token)) for piece in self.pieces), default=0)
        rows = [f"\n  {'id':>7}  {'token':{width}}  characters"]
        for piece in self.pieces:
            covers = repr(piece.text) if piece.text else "added by the tokenizer"
            kind = "" if piece.kind == "text" or not piece.text else f"  ({piece.kind})"
            rows.append(f"  {piece.id:7}  {piece.token!r:{width}}  {covers}{kind}")
        return "\n".join([title, *named, *rows, f"\n  round trip: {self._round_trip_line()}"])

    def _round_trip_line(self) -> str:
        place = self.first_difference
        if place is None:
            return "the decoded text equals the text"
        return (
            f"broken at character {place}: {self.text[place : place + 20]!r} comes back as "
            f"{self.decoded[place : place + 20]!r}"
        )

    def to_frame(self) -> pandas.DataFrame:
        """A row per token."""
        import pandas

        return pandas.DataFrame([asdict(piece) for piece in self.pieces])

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
    """Tokenize a text, with the characters and the kind of each token.

    Args:
        tokenizer: a fast tokenizer (one that knows which characters a token covers).
        text: any text; an empty one has only the tokens that the tokenizer adds.
        model: name of the reading, usually the model spec.
    """
    batch = encode_with_offsets(tokenizer, [text])
    ids, offsets, added = (batch[key][0] for key in ("input_ids", "offset_mapping", "special_tokens_mask"))
    tokens = tokenizer.convert_ids_to_tokens(ids)
    # The unknown token is special to tokenizers, but stands for characters of the text.
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    pieces: list[TokenPiece] = []
    shared = without_blank(tokenizer, ids, offsets)
    reached = 0
    for place, (id_, token, (start, stop), was_added) in enumerate(zip(ids, tokens, offsets, added, strict=True)):
        if was_added and start == stop:
            pieces.append(TokenPiece(id=id_, token=token, text="", start=reached, stop=reached, kind="special"))
            continue
        part = is_part(shared, place)
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
    """Whether a token shares its characters with a neighbour: the bytes of one character are spread over both.

    Args:
        offsets: the character range of every token.
        place: number of the token.
    """
    start, stop = offsets[place]
    before = place > 0 and offsets[place - 1][1] > start
    after = place + 1 < len(offsets) and offsets[place + 1][0] < stop and offsets[place + 1][1] > 0
    return start < stop and (before or after)


def without_blank(
    tokenizer: PreTrainedTokenizerFast, ids: Sequence[int], offsets: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The offsets without characters of the blank that SentencePiece puts before a text, which has none of its own.

    Args:
        tokenizer: the tokenizer.
        ids: the tokens of a text.
        offsets: the character range of each; that of the blank is the first character of the next token.
    """
    place = next((place for place, (start, stop) in enumerate(offsets) if start < stop), len(offsets))
    if place + 1 < len(ids) and tokenizer.convert_ids_to_tokens(ids[place]) == "▁":
        start, stop = offsets[place]
        if offsets[place + 1][0] < stop:
            return [*offsets[:place], (start, start), *offsets[place + 1 :]]
    return offsets


def byte_ids(tokenizer: PreTrainedTokenizerFast) -> frozenset[int]:
    """Find the ids of the byte tokens (``<0x0A>``) to which SentencePiece falls back."""
    names = tokenizer.convert_tokens_to_ids([f"<0x{byte:02X}>" for byte in range(256)])
    return frozenset(id_ for id_ in names if id_ is not None and id_ != tokenizer.unk_token_id)


def _named(tokenizer: PreTrainedTokenizerFast, name: str) -> tuple[str, int] | None:
    """A special token and its id."""
    token, id_ = getattr(tokenizer, f"{name}_token"), getattr(tokenizer, f"{name}_token_id")
    return None if token is None or id_ is None else (str(token), int(id_))


def _decode(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> str:
    """The text of token ids, without any clean-up of spaces."""
    if not ids:
        return ""
    # Special tokens are left in, since a text may mention one, and the clean-up would take spaces before commas away.
    return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
