"""The sentences of running text in any language and script, and the language that a text is in.

Where a mark may end a sentence, `sentencex` (Wikimedia; abbreviations, initials, numbers and the marks of some 300
languages) decides whether it does. It sees each mark in a window of its own, without quotes and brackets: over a whole
text it never cuts within them, and one that is never closed would hide all the sentences behind it. What is added here:
blank lines and the items of a list part sentences; the marks of a few scripts that it lacks; and no sentence ends
before a small letter (``"Stop!" he said.``), unless the text has small letters throughout.
"""

# ruff: noqa: RUF001  the quotes and stops of other scripts are meant
from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


_SAMPLE = 2000
_MIN_LENGTH = 20
"""Characters; below this the library's first guess is little better than chance."""


def rank_languages(text: str) -> list[tuple[str, float]]:
    """ISO 639 codes and their probabilities, the likeliest first; of a long text three samples are read."""
    if len(text) > 3 * _SAMPLE:
        # Not the beginning alone: title pages and licences may be of another language than the text.
        middle = len(text) // 2
        text = f"{text[:_SAMPLE]} {text[middle:][:_SAMPLE]} {text[-_SAMPLE:]}"
    # Half a surrogate pair has no UTF-8, and the library encodes what it is given.
    readable = text.encode("utf-8", "replace").decode("utf-8")
    return [(str(code), float(probability)) for code, probability in _identifier().rank(readable)]


def find_language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language (the `py3langid` library); None where the text is too short."""
    return rank_languages(text)[0][0] if len(text) >= _MIN_LENGTH else None


def known_languages() -> frozenset[str]:
    """The codes of the languages that can be identified."""
    return frozenset(code for code, _ in rank_languages(""))


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    # Without the norm the scores are log-likelihoods, which grow with the length of the text.
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


_SPACED = (
    ".!?\u2026\u203c\u203d\u2047-\u2049"
    "\u0964\u0965\u1c7e\u1c7f\uabeb\uaaf0\uaaf1"  # the dandas of India, Santali, Meitei
    "\u061d-\u061f\u06d4\u0700-\u0702\u07f9"  # Arabic, Urdu, Syriac, N'Ko
    "\u0589\u1362\u1367\u1368\u1803\u1809"  # Armenian, Ethiopic, Mongolian
)
"""Marks behind which white space follows where they end a sentence."""

_UNSPACED = "\u3002\uff01\uff0e\uff1f\uff61\u104a\u104b"  # Chinese and Japanese, Burmese
_ALWAYS = "\u17d4\u17d5\u0f0d\u0f0e\u0df4\ua9c8\ua9c9\u1b5a\u1b5b"  # Khmer, Tibetan, Sinhala, Javanese, Balinese
"""Marks that `sentencex` does not know, and that are nothing else than the end of a sentence."""

_OF_LANGUAGE = {"el": ";\u037e", "hy": ":"}
_CLOSERS = "\"'’”»›)\\]}」』》〉）】"
_EITHER = "“«"
"""Open a quotation in one language and close it in another."""

_MARK = r"[{stops}](?:[^\S\n]?[{stops}])*(?:[^\S\n]?[»›](?!\w)|[{closers}]|[{either}](?!\w)|\[\d{{1,3}}\])*"
_QUOTES = "\"'`‘’“”„«»‹›()\\[\\]{}「」『』《》〈〉（）【】"
_BARED = re.compile(rf"(?<!\w)[{_QUOTES}]|[{_QUOTES}](?!\w)|[(\[{{\"“”„«»]|[\ud800-\udfff]")
_PARAGRAPH = re.compile(r"\n[ \t\r\f\v]*(?:\n\s*)+|\n(?=[ \t]*(?:[-*+•‣◦–—]|\(?\d{1,3}[.)]|\(?[A-Za-z]\))[ \t])")
_NEXT_WORD = re.compile(r"[^\w]{0,40}(\w+)")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")

_INITIAL = re.compile(r"(?<![\w.])[^\W\d_]\.$")
_BEFORE_NUMBER = re.compile(r"(?<!\w)(?:approx|ca|vols?|nos?|nr|pp?|figs?|eqs?|chs?|secs?)\.$", re.IGNORECASE)
_BEFORE_DATE = re.compile(r"(?<!\w)(?:[apAP]\.?[mM]|Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun)\.$")
_DATE = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Jan|Febr)uary|March|April|May|June|July|August"
    r"|(?:Septem|Octo|Novem|Decem)ber|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|[ECMP][SD]?T|GMT|UTC"
)
_BEFORE, _BEHIND = 120, 60
_SURE = 0.5


def split_sentences(text: str, *, language: str | None = None) -> list[str]:
    """The sentences of a text, white space made single; none for a text of white space.

    Args:
        text: running text; blank lines end a sentence, a single line break does not.
        language: an ISO 639 code; found from the text where it is not given.
    """
    return [" ".join(text[start:stop].split()) for start, stop in sentence_spans(text, language=language)]


def sentence_spans(text: str, *, language: str | None = None) -> list[tuple[int, int]]:
    """Where each sentence starts and stops; between two of them stands white space or nothing.

    Args:
        text: running text; blank lines end a sentence, a single line break does not.
        language: an ISO 639 code; found from the text where it is not given.
    """
    breaks = [found.start() for found in _PARAGRAPH.finditer(text)]
    ends = sorted({*breaks, *_ends(text, language or _language_of(text)), len(text)})
    spans: list[tuple[int, int]] = []
    start = 0
    for end in ends:
        piece = text[start:end]
        if not piece.strip():
            continue
        first = start + len(piece) - len(piece.lstrip())
        spans.append((first, start + len(piece.rstrip())))
        start = end
    return spans


def _language_of(text: str) -> str:
    """The language of a text; English where a short text leaves it open."""
    code, probability = rank_languages(text)[0]
    return code if probability >= _SURE else "en"


@cache
def _marks(language: str) -> re.Pattern[str]:
    stops = _SPACED + _UNSPACED + _ALWAYS + _OF_LANGUAGE.get(language, "")
    return re.compile(_MARK.format(stops=stops, closers=_CLOSERS, either=_EITHER))


def _ends(text: str, language: str) -> Iterator[int]:
    """The places behind the marks that end a sentence, and behind the quotes and brackets that close there."""
    from sentencex import segment

    bare = _BARED.sub(" ", text)
    found = [mark for mark in _marks(language).finditer(text) if _may_end(text, mark)]
    words = [_word_behind(text, mark.end()) for mark in found]
    capitals = sum(word[:1].isupper() for word in (_word_behind(text, 0), *words))
    small = sum(_is_small(word) for word in words)
    last = 0
    for mark, word in zip(found, words, strict=True):
        # A text with hardly a capital is written in small letters throughout; there a small letter shows nothing.
        if _is_small(word) and 4 * capitals >= small:
            continue
        if _is_number_of_item(text[last : mark.start()]) or _goes_on(text, mark, word, language):
            continue
        stops = mark[0].rstrip(_CLOSERS.replace("\\", "") + _EITHER + " 0123456789[")
        # The library is called for each mark; on the whole text this would take the square of its length.
        before = bare[max(0, mark.start() - _BEFORE) : mark.start()] + stops
        behind = bare[mark.end() : mark.end() + _BEHIND].lstrip()
        if mark[0][0] in _ALWAYS or _is_cut(segment(language, f"{before} {behind}"), before):
            last = mark.end()
            yield last


def _may_end(text: str, mark: re.Match[str]) -> bool:
    """Whether what follows a mark leaves room for another sentence."""
    behind = text[mark.end() : mark.end() + 1]
    if not behind or behind.isspace() or mark[0][0] in _UNSPACED + _ALWAYS:
        return True
    return mark[0][0] != "." and _IDEOGRAPH.match(behind) is not None


def _word_behind(text: str, place: int) -> str:
    found = _NEXT_WORD.match(text, place)
    return found[1] if found else ""


def _is_small(word: str) -> bool:
    """Whether a capital would stand here at the beginning of a sentence (Georgian has none there)."""
    return word[:1].islower() and word[0].title() != word[0]


def _is_number_of_item(sentence: str) -> bool:
    """Whether a sentence that has only begun is the number of an item of a list (``2. Dry it.``)."""
    begun = sentence[-8:].rpartition("\n")[2].strip()
    return len(begun) < 4 and begun.isdigit() and (len(sentence) <= 8 or "\n" in sentence[-8:])


def _goes_on(text: str, mark: re.Match[str], word: str, language: str) -> bool:
    """Whether a sentence continues behind a mark for a reason that `sentencex` does not know."""
    if mark[0].endswith(("」", "』")) and text.startswith(("と", "って"), mark.end()):
        return True
    if not mark[0].startswith("."):
        return False
    start, stop = max(0, mark.start() - 12), mark.start() + 1
    return (
        (word[:1].isupper() and _INITIAL.search(text, start, stop) is not None and _has_initials(language, word))
        or (word.isdigit() and _BEFORE_NUMBER.search(text, start, stop) is not None)
        or (_DATE.fullmatch(word) is not None and _BEFORE_DATE.search(text, start, stop) is not None)
    )


def _has_initials(language: str, name: str) -> bool:
    """Whether an initial before a name needs a rule here; `sentencex` has English ones, but in Latin letters alone."""
    return language != "en" or not name[:1].isascii()


def _is_cut(pieces: list[str], before: str) -> bool:
    """Whether one of the pieces of a text ends where ``before`` does."""
    place = 0
    for piece in pieces:
        place += len(piece)
        if place >= len(before):
            return place - len(piece) + len(piece.rstrip()) == len(before)
    return False
