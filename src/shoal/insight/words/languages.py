"""Which languages have stems, lemmas and parts of speech, by their ISO 639-1 codes."""

from __future__ import annotations

_SNOWBALL = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hbs": "serbian", "hi": "hindi", "hu": "hungarian", "hy": "armenian",
    "id": "indonesian", "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch",
    "nn": "norwegian", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "st": "sesotho", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip


def stemmer_names() -> dict[str, str]:
    """The stemmer of each language that has one and that is installed: ``{"en": "english", ...}``."""
    import snowballstemmer

    installed = set(snowballstemmer.algorithms())
    return {code: name for code, name in _SNOWBALL.items() if name in installed}
