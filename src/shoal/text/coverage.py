"""Whether a tokenizer's tokens stand for all of a text.

A BPE without an unknown token passes over a character that its vocabulary lacks, silently: "TxT" is read, scored
and trained as "TT", and the offsets behind it are those of other characters. Other kinds stop with an error that names
nothing. What a tokenizer is built to leave out is left out: spaces, accents, control characters, the two cases.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PLACEHOLDERS = "\u2581\u0120 "
"""What a tokenizer may put before a text of its own accord."""

_HALF = re.compile("[\ud800-\udfff]")

_NOWHERE = "\U000f1e5a"
"""A character of private use, which stands in no vocabulary."""


def check_coverage(tokenizer: Any, texts: Sequence[str], *, split_special_tokens: bool = False) -> None:
    """Raise where a character of a text would have no part in any token.

    Args:
        tokenizer: one of `transformers` (of either kind), a `PlainTokenizer`, or a ``tokenizers.Tokenizer``.
        texts: what is going to be encoded.
        split_special_tokens: control tokens in the texts are going to be read letter by letter.

    Raises:
        DataError: the first such character, or the first half of a surrogate pair, with its place.
    """
    find = lost_character_finder(tokenizer, split_special_tokens=split_special_tokens)
    for text in texts:
        half = None if text.isascii() else _HALF.search(text)
        if half is not None:
            raise DataError(
                f"character {half.start() + 1} of {text[max(0, half.start() - 20) : half.start() + 20]!r} is half of a "
                "surrogate pair, which no tokenizer reads; take it out of the text"
            )
        place = find(text)
        if place is not None:
            raise DataError(
                f"the tokenizer has no token for {text[place]!r}, character {place + 1} of "
                f"{text[max(0, place - 20) : place + 20]!r}, which would be left out without a word; "
                "take it out of the text, or give a tokenizer with an unknown token or with bytes to fall back to"
            )


def lost_character_finder(tokenizer: Any, *, split_special_tokens: bool = False) -> Callable[[str], int | None]:
    """A function that gives the place of the first character of a text that is lost, and None where there is none.

    Args:
        tokenizer: as for `check_coverage`.
        split_special_tokens: control tokens in the texts are going to be read letter by letter.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None and hasattr(tokenizer, "encode_batch"):
        backend = tokenizer
    return _Finder(backend, split_special_tokens).find if backend is not None else _decoding_finder(tokenizer)


class _Finder:
    """Finds what the steps of a fast tokenizer would lose: its normalizer, its cutting into words, its vocabulary."""

    def __init__(self, backend: Any, split_special_tokens: bool) -> None:
        self._model, self._normalizer, self._cutter = backend.model, backend.normalizer, backend.pre_tokenizer
        normalizing, cutting = _state(self._normalizer), _state(self._cutter)
        self._total = _is_total(self._model, normalizing + cutting)
        # Of the steps before the vocabulary only these take out more than spaces, accents and control characters.
        removes = b"Removed" in cutting or b"CharDelimiterSplit" in cutting or b"Custom" in cutting
        self._never = self._total and not removes and b'"Replace"' not in normalizing
        # Without marks on the pieces of a word, a character that has a token alone has one everywhere.
        plain = type(self._model).__name__ == "BPE" and not (
            self._model.continuing_subword_prefix or self._model.end_of_word_suffix
        )
        self._one_by_one = self._total or plain
        self._fine: dict[str, bool] = {}
        tokens = backend.get_added_tokens_decoder().values()
        read = (token.content for token in tokens if not (split_special_tokens and token.special))
        added = sorted(read, key=len, reverse=True)
        self._added = re.compile("|".join(map(re.escape, added))) if added else None

    def find(self, text: str) -> int | None:
        """The place of the first character that is lost; None where there is none."""
        if self._never or (self._one_by_one and all(map(self._is_fine, set(text)))):
            return None
        for start, part in self._between_added(text):
            if self._loses(part):
                return start + self._place(part)
        return None

    def _place(self, text: str) -> int:
        """Where something is lost, in a text of which something is."""
        normal, words = self._words(text)
        start, stop = 0, len(text)
        if not self._one_by_one and len(normal) == len(text):
            lost = (span for word, span in words if self._word_is_lost(word))
            start, stop = next(lost, (start, stop))
        alone = (place for place in range(start, stop) if not self._is_fine(text[place]))
        return next(alone, start)

    def _is_fine(self, character: str) -> bool:
        """Whether a character alone has a part in a token, or none by design."""
        if character not in self._fine:
            self._fine[character] = not self._loses(character)
        return self._fine[character]

    def _loses(self, text: str) -> bool:
        """Whether anything of a text without added tokens is lost."""
        if self._removed_by_normalizer(text):
            return True
        normal, words = self._words(text)
        kept = bytearray(len(normal))
        for _, (start, stop) in words:
            kept[start:stop] = b"\1" * (stop - start)
        if any(not inside and _is_visible(character) for inside, character in zip(kept, normal, strict=True)):
            return True
        if self._total:
            return False
        # What a tokenizer puts before a text is not the text's; a text that holds spaces needs the token of one, and
        # one that holds such a letter itself (the Maltese \u0120) needs its token.
        own = "" if any(map(str.isspace, text)) else "".join(set(_PLACEHOLDERS).difference(text))
        return any(self._word_is_lost(word.lstrip(own) if own else word) for word, _ in words)

    def _words(self, text: str) -> tuple[str, list[tuple[str, tuple[int, int]]]]:
        """The normalized text, and the words that it is cut into, with their places there."""
        normal = self._normalizer.normalize_str(text) if self._normalizer is not None else text
        words = self._cutter.pre_tokenize_str(normal) if self._cutter is not None else [(normal, (0, len(normal)))]
        return normal, words

    def _removed_by_normalizer(self, text: str) -> bool:
        """Whether the normalizer takes out a character that is seen."""
        if self._normalizer is None:
            return False
        return any(
            _is_visible(character) and not self._normalizer.normalize_str(character).strip(_PLACEHOLDERS)
            for character in set(text) - set(_PLACEHOLDERS)
        )

    def _word_is_lost(self, word: str) -> bool:
        if not word:
            return False
        try:
            tokens = self._model.tokenize(word)
        except Exception:  # noqa: BLE001 (the library raises nothing narrower where a word has no token)
            return True
        # Offsets count the bytes that were read, and a character without a token counts nothing.
        return not tokens or tokens[-1].offsets[1] < len(word.encode("utf-8", "surrogatepass"))

    def _between_added(self, text: str) -> Iterator[tuple[int, str]]:
        """The parts of a text that are no added token, with their places."""
        start = 0
        for found in self._added.finditer(text) if self._added is not None else ():
            yield start, text[start : found.start()]
            start = found.end()
        yield start, text[start:]


def _state(step: Any) -> bytes:
    """A step of the pipeline as JSON; one that was written in Python has none."""
    if step is None:
        return b""
    try:
        return bytes(step.__getstate__())
    except Exception:  # noqa: BLE001 (the library raises nothing narrower)
        return b"Custom"


def _is_total(model: Any, steps: bytes) -> bool:
    """Whether a vocabulary has a token for whatever the steps before it give."""
    from tokenizers.pre_tokenizers import ByteLevel

    if b'"ByteLevel"' in steps and all(model.token_to_id(letter) is not None for letter in ByteLevel.alphabet()):
        return True
    if getattr(model, "byte_fallback", False) and getattr(model, "unk_token", None) is None:
        return all(model.token_to_id(f"<0x{byte:02X}>") is not None for byte in range(256))
    try:
        tokens = model.tokenize(_NOWHERE)
    except Exception:  # noqa: BLE001 (the library raises nothing narrower where a word has no token)
        return False
    return bool(tokens) and tokens[-1].offsets[1] == len(_NOWHERE.encode())


def _is_visible(character: str) -> bool:
    """Whether a character is a letter, a digit, a mark of punctuation or a symbol."""
    return unicodedata.category(character)[0] in "LNPS" and character not in _PLACEHOLDERS


def _decoding_finder(tokenizer: Any) -> Callable[[str], int | None]:
    """For a tokenizer written in Python, which knows no offsets: whether decoding gives the text back."""

    def find(text: str) -> int | None:
        ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        if getattr(tokenizer, "unk_token_id", None) in ids:
            return None
        back = "".join(_bare(tokenizer.decode(ids, clean_up_tokenization_spaces=False)))
        reached = 0
        for place, character in enumerate(text):
            bare = _bare(character)
            if back[reached : reached + len(bare)] != bare:
                return place
            reached += len(bare)
        return None

    return find


def _bare(text: str) -> str:
    """A text without spaces, marks, control characters and case."""
    return "".join(character for character in unicodedata.normalize("NFKD", text).casefold() if _is_visible(character))
