"""A text read word by word: tokens, stems, lemmas and parts of speech.

Method: sentences are split into words; each word gets its Snowball stem, and its lemma by the tagger and the tables of
`shoal.text`, by part of speech where the language has a tagger, else by the word alone. Cost: the tagger takes most of
the time, about a thousand words a second, and ten milliseconds for a word that it has never met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.errors import DataError, MissingExtraError, UnknownNameError, UsageError
from shoal.insight.options import DEFAULTS
from shoal.insight.tokens import read_tokens
from shoal.insight.words.languages import stemmer_names
from shoal.insight.words.splitting import WordSpan, split_text
from shoal.insight.words.table import WordRow, WordTable
from shoal.text import (
    TAGGED_LANGUAGES,
    find_language,
    lemma_languages,
    lemmatize,
    load_hanta,
    rank_languages,
    stem,
    tag_sentence,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.insight.options import AnalysisOptions
    from shoal.text import TaggedWord

TaggerChoice = Literal["auto", "hanta", "none"]
AUTO = "auto"

_READABLE = 100
"""Characters from which on the language of a text is found well enough to contradict the one that was given."""
# High, as a note that is wrong is worse than none, and related languages are easily taken for each other.
_SURE = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tools:
    """What the language has."""

    language: str
    stemmer: str | None
    lemmas: bool
    tagger: bool


def words(
    text: str | Sequence[str],
    *,
    language: str = "en",
    tokenizers: Mapping[str, PreTrainedTokenizerFast] | None = None,
    tagger: TaggerChoice = "auto",
    options: AnalysisOptions = DEFAULTS,
) -> WordTable:
    """Read the words of a text: tokens, stem, lemma and part of speech of each, and how often they occur.

    Args:
        text: one text, or several documents.
        language: an ISO 639-1 code, or ``auto`` to find it by the text.
        tokenizers: by name, fast ones, as `load_tokenizer` gives them.
        tagger: ``hanta``, ``none``, or ``auto``: the tagger where it is installed and knows the language.
        options: of every analysis; its progress callback is called.

    Raises:
        DataError: there is no word in the text, or it is too short for its language to be found.
        UnknownNameError: a language that has neither stems nor lemmas.
        UsageError: a tagger of a language that it does not know.
        MissingExtraError: `simplemma`, or the tagger that was required, is not installed.
    """
    texts = [text] if isinstance(text, str) else list(text)
    if not any(letter.isalnum() for each in texts for letter in each):
        raise DataError("there is no word in the text; give a text with at least one letter")
    tools, notes = _find_tools("\n".join(texts), language, tagger)
    rows: list[WordRow] = []
    for document, each in enumerate(texts):
        rows += _rows(each, document, tools, tokenizers or {})
        options.progress("words", document + 1, len(texts))
    return WordTable(
        language=tools.language,
        rows=tuple(rows),
        tokenizers=tuple(tokenizers or ()),
        sources=_sources(tools),
        notes=tuple(notes),
    )


def _find_tools(text: str, language: str, tagger: TaggerChoice) -> tuple[_Tools, list[str]]:
    """What there is of a language, and what must be said of it."""
    notes = []
    if language == AUTO:
        found = find_language(text)
        if found is None:
            raise DataError("the text is too short for its language to be found; give --language, as in --language en")
        language = found
    elif len(text) >= _READABLE:
        code, probability = rank_languages(text)[0]
        if code != language and probability > _SURE:
            notes.append(f"the text reads like {code!r} and is taken for {language!r}; --language {code} changes that")
    stemmers, lemmas = stemmer_names(), lemma_languages()
    if language not in stemmers and language not in lemmas:
        raise UnknownNameError("language", language, {*stemmers, *lemmas})
    tagged = _has_tagger(language, tagger, notes)
    if language not in stemmers:
        notes.append(f"there is no stemmer of {language!r}")
    if language not in lemmas and not tagged:
        notes.append(f"there are no lemmas of {language!r}")
    return _Tools(
        language=language, stemmer=stemmers.get(language), lemmas=language in lemmas or tagged, tagger=tagged
    ), notes


def _has_tagger(language: str, tagger: TaggerChoice, notes: list[str]) -> bool:
    """Whether the text is tagged; a note where it could have been, or cannot be."""
    if tagger == "none":
        return False
    if language not in TAGGED_LANGUAGES:
        if tagger == "hanta":
            raise UsageError(f"the tagger knows {', '.join(TAGGED_LANGUAGES)}, not {language!r}; leave --tagger out")
        notes.append(f"there is no tagger of {language!r}: lemmas are by the word alone")
        return False
    try:
        load_hanta(language)
    except MissingExtraError as error:
        if tagger == "hanta":
            raise
        notes.append(f"no parts of speech, and lemmas by the word alone: {error}")
        return False
    return True


def _sources(tools: _Tools) -> dict[str, str]:
    found = {"stem": f"Snowball ({tools.stemmer})"} if tools.stemmer else {}
    if tools.lemmas:
        by = {True: "simplemma by part of speech" if tools.language == "en" else "HanTa", False: "simplemma"}
        found["lemma"] = by[tools.tagger]
    return {**found, "tag": "HanTa"} if tools.tagger else found


def _rows(text: str, document: int, tools: _Tools, tokenizers: Mapping[str, PreTrainedTokenizerFast]) -> list[WordRow]:
    """The words of one document."""
    sentences = split_text(text, tools.language)
    spans = [span for sentence in sentences for span in sentence]
    tokens = {name: _tokens_of(tokenizer, text, spans) for name, tokenizer in tokenizers.items()}
    rows: list[WordRow] = []
    for number, sentence in enumerate(sentences):
        tagged: Sequence[TaggedWord | None] = [None] * len(sentence)
        if tools.tagger:
            tagged = tag_sentence([span.text for span in sentence], tools.language)
        for span, found in zip(sentence, tagged, strict=True):
            rows.append(
                WordRow(
                    document=document,
                    sentence=number,
                    start=span.start,
                    stop=span.stop,
                    text=span.text,
                    is_word=span.is_word,
                    tokens={name: each[len(rows)] for name, each in tokens.items()},
                    stem=stem(span.text, tools.stemmer) if tools.stemmer and span.is_word else None,
                    lemma=_lemma(span, found, tools),
                    tag=None if found is None else found.tag,
                    word_class=None if found is None else found.word_class,
                )
            )
    return rows


def _lemma(span: WordSpan, found: TaggedWord | None, tools: _Tools) -> str | None:
    if not span.is_word or not tools.lemmas:
        return None
    return lemmatize(span.text, tools.language) if found is None else found.lemma


def _tokens_of(tokenizer: PreTrainedTokenizerFast, text: str, spans: Sequence[WordSpan]) -> list[tuple[str, ...]]:
    """For each word: what each token has of it. Words and tokens go from left to right, and so are walked once."""
    pieces = [piece for piece in read_tokens(tokenizer, text).pieces if piece.text]
    found: list[tuple[str, ...]] = []
    first = 0
    for span in spans:
        # The first piece of a word may be the last of the word before, so that only what ends before the word is passed
        # over.
        while first < len(pieces) and pieces[first].stop <= span.start:
            first += 1
        parts, place = [], first
        while place < len(pieces) and pieces[place].start < span.stop:
            piece = pieces[place]
            parts.append(text[max(piece.start, span.start) : min(piece.stop, span.stop)])
            place += 1
        found.append(tuple(part for part in parts if part))
    return found
