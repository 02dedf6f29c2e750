"""Parts of speech of words in their sentence, by the Hanover Tagger (`HanTa`): English, German and Dutch.

The tagger is a hidden Markov model over the morphemes of a word and over the tags of a sentence, trained on the British
National Corpus, on German newspapers and on Lassy (Wartena 2019, "A probabilistic morphology model for German
lemmatization"). Its tags are those of these corpora (C5, STTS, CGN); the word classes are the coarse ones of a grammar.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import MissingExtraError, UnknownNameError, UsageError
from shoal.text.english_lemmas import english_lemma
from shoal.text.word_forms import lemmatize, load_simplemma

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODELS = {"en": "morphmodel_en.pgz", "de": "morphmodel_ger.pgz", "nl": "morphmodel_dutch.pgz"}
TAGGED_LANGUAGES = tuple(_MODELS)

PUNCTUATION = "punctuation"

_LONGEST = 60
"""Letters of a word that are tagged, its last ones: the tagger takes the square of a word's length, and an address, or
a page of Chinese, is one word to it. A longer word is its own lemma."""

_OTHER = "other"

# By the beginning of the tag, the longer ones before those that they begin with.
_CLASSES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "NP": "proper noun", "NN": "noun", "V": "verb", "AJ": "adjective", "ORD": "adjective", "AV": "adverb",
        "PN": "pronoun", "EX": "pronoun", "AT": "determiner", "DT": "determiner", "DPS": "determiner",
        "PR": "preposition", "CJ": "conjunction", "CRD": "number", "TO": "particle", "XX": "particle",
        "POS": "particle", "ITJ": "interjection", "PU": PUNCTUATION,
    },
    "de": {
        "NE": "proper noun", "NN": "noun", "V": "verb", "ADJ": "adjective", "ADV": "adverb", "PWAV": "adverb",
        "PROAV": "adverb", "ART": "determiner", "PDAT": "determiner", "PIAT": "determiner", "PPOSAT": "determiner",
        "PWAT": "determiner", "PTK": "particle", "P": "pronoun", "AP": "preposition", "K": "conjunction",
        "CARD": "number", "ITJ": "interjection", "$": PUNCTUATION,
    },
    "nl": {
        "N(eigen": "proper noun", "N(": "noun", "WW": "verb", "ADJ": "adjective", "BW": "adverb", "VNW": "pronoun",
        "LID": "determiner", "VZ": "preposition", "VG": "conjunction", "TW": "number", "TSW": "interjection",
        "LET": PUNCTUATION,
    },
}  # fmt: skip
_BASE_TAGS = {"NN0", "NN1", "AJ0", "AV0", "AVP", "AVQ", "VVB", "VVI", "VDI", "VBI", "VHI", "ORD"}
"""English tags of forms that are their own lemma."""

_AUXILIARIES = {"VB": "be", "VD": "do", "VH": "have"}
_SHORT = {"n't": "not", "'ll": "will", "ca": "can", "wo": "will", "sha": "shall"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedWord:
    """A word with its part of speech and its lemma in that class."""

    word: str
    tag: str
    """Of the corpus that the tagger learned from: C5, STTS or CGN."""

    word_class: str
    """The coarse class: noun, proper noun, verb, adjective, adverb, pronoun, determiner, preposition, conjunction,
    number, particle, interjection, punctuation, or other."""

    lemma: str


def load_hanta(language: str = "en") -> Any:
    """The tagger of a language, which takes a second to read; it is read once.

    Args:
        language: an ISO 639-1 code.

    Raises:
        UnknownNameError: there is no model of the language.
        MissingExtraError: the ``HanTa`` package is not installed.
    """
    if language not in _MODELS:
        raise UnknownNameError("language of the tagger", language, _MODELS)
    try:
        from HanTa.HanoverTagger import HanoverTagger
    except ImportError as error:
        raise MissingExtraError("tagger", "tagging parts of speech") from error
    return _load_once(HanoverTagger, _MODELS[language])


@functools.cache
def _load_once(tagger: Any, file: str) -> Any:
    return tagger(file)


def tag_sentence(words: Sequence[str], language: str = "en") -> list[TaggedWord]:
    """The parts of speech of the words of a sentence, and their lemmas in these classes.

    English lemmas come from `simplemma`'s tables and rules, by class (`shoal.text.english_lemmas`); those of other
    languages are the tagger's own, which analyses the morphemes of the word in its class.

    Args:
        words: of one sentence, marks of punctuation and clitics (``n't``) apart.
        language: ``en``, ``de`` or ``nl``.

    Raises:
        UnknownNameError: there is no model of the language.
        MissingExtraError: ``HanTa`` or, for English, ``simplemma`` is not installed.
        UsageError: a word is empty.
    """
    if "" in words:
        raise UsageError(
            f"word {list(words).index('') + 1} of {len(words)} is empty and has no part of speech; leave it out"
        )
    found = load_hanta(language).tag_sent([word[-_LONGEST:] for word in words]) if words else []
    return [
        _tagged(word, str(tag), str(lemma) if len(word) <= _LONGEST else word, language)
        for word, (_, lemma, tag) in zip(words, found, strict=True)
    ]


def tag_alone(word: str, language: str = "en", *, word_class: str | None = None) -> TaggedWord:
    """The likeliest part of speech of a word out of context, and its lemma.

    Args:
        word: one word.
        language: ``en``, ``de`` or ``nl``.
        word_class: take the likeliest tag of this class; where the tagger knows none, the lemma is still that of the
            class.

    Raises:
        UnknownNameError: there is no model of the language.
        MissingExtraError: ``HanTa`` or, for English, ``simplemma`` is not installed.
        UsageError: the word is empty.
    """
    if not word:
        raise UsageError("the word is empty and has no part of speech; give a word")
    tagger = load_hanta(language)
    tags = [str(tag) for tag, _ in tagger.tag_word(word[-_LONGEST:], cutoff=100)]
    fitting = [tag for tag in tags if word_class is None or class_of_tag(tag, language) == word_class]
    if fitting:
        lemma = word if len(word) > _LONGEST else str(tagger.analyze(word, pos=fitting[0])[0])
        return _tagged(word, fitting[0], lemma, language)
    own = lemmatize(word, language, word_class=word_class) if language == "en" else word
    return TaggedWord(word=word, tag=tags[0], word_class=word_class or _OTHER, lemma=own)


def class_of_tag(tag: str, language: str) -> str:
    """The coarse class of a tag.

    Args:
        tag: of the tagger.
        language: ``en``, ``de`` or ``nl``.
    """
    classes = _CLASSES[language]
    # The longest beginning decides: NE before N, PTK before P.
    return next((classes[start] for start in sorted(classes, key=len, reverse=True) if tag.startswith(start)), _OTHER)


def _tagged(word: str, tag: str, lemma: str, language: str) -> TaggedWord:
    word_class = class_of_tag(tag, language)
    if language == "en":
        lemma = _english(word, tag, word_class, lemma)
    return TaggedWord(word=word, tag=tag, word_class=word_class, lemma=lemma or word)


def _english(word: str, tag: str, word_class: str, lemma: str) -> str:
    if word_class == PUNCTUATION:
        return word
    auxiliary = _AUXILIARIES.get(tag[:2]) if word_class == "verb" else None
    short = _SHORT.get(word.lower())
    if auxiliary or short:
        return auxiliary or short or word
    inflected = tag not in _BASE_TAGS
    return english_lemma(load_simplemma("en"), word, word_class, inflected=inflected, tagged_lemma=lemma)
