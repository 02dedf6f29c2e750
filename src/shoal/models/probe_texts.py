"""Texts that tell tokenizers of one vocabulary apart."""

PROBE_TEXTS = (
    "Once upon a time, there was a little dog named Max.",
    "It's 7:30 on 2024-11-30; she'd paid $1,234.56 (that's 12% more)!",
    "3 33 333 3333 33333 1 11 111 1111 11111: one,two;three",
    "def f(x):\n\tif x >= 10:\n        return x**2  # a comment\n\n\nprint(f(12))",
    "  two spaces before, trailing spaces   ",
    "Ünïcode: naïve café, Größe, нещо на български, 日本語のテキスト, 한국어, हिन्दी",
    "emoji 🚀🦙 and 👩‍🔬, signs ≤ ≥ → §, quotes “so” «so» …",
    "'RE you sure? 'M not, I'LL see; WE'VE 'd 'stick",
    "CamelCaseWord snake_case_word http://example.org/a?b=c&d=1 user@example.org",
    "e\N{COMBINING ACUTE ACCENT} and \N{LATIN SMALL LETTER E WITH ACUTE}\r\nline\ttab\u00a0hard space",
)
"""Texts on which rules of splitting differ: contractions, digits, blanks, scripts, symbols, composed letters."""
