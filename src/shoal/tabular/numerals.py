"""Numbers as people write them: thousands and decimal commas, currencies, percent signs, units, accounting's brackets.

A column is read so only where all of its cells agree on one way of writing; the first cell that does not is named.
"""

from __future__ import annotations

from typing import Any, NamedTuple

SIGNS = "+\\-\u2212"
_BLANKS = " \\x{a0}\\x{202f}\\x{2009}"
PATTERN = (
    rf"^(?P<open>\()?(?P<sign>[{SIGNS}])?\s*(?P<before>[A-Z]{{0,2}}\p{{Sc}}|[A-Z]{{3}}\s)?\s*(?P<inner>[{SIGNS}])?"
    rf"(?P<digits>[.,]?\d(?:[\d.,'\x{{2019}}_{_BLANKS}]*[\d.,])?)(?P<exponent>[eEdD][+\-]?\d+)?"
    r"\s*(?P<after>[%‰]|\p{Sc}|[A-Z]{3}|°?\p{L}[\p{L}\d/²³^·%-]*|°)?(?P<close>\))?(?P<minus>-)?$"
)
"""A number with what may stand around it, as RE2 reads it."""


class Format(NamedTuple):
    """One way of writing the digits of a number."""

    pattern: str
    group: str
    """What stands between thousands."""
    decimal: str
    """The decimal point."""
    says: str
    """How the format is called in a message."""


FORMATS = (
    Format(r"^(\d+\.?\d*|\.\d+)$", "", ".", ""),
    Format(r"^(\d*\.\d+|\d+\.?|[1-9]\d{0,2}(,\d{2,3})*,\d{3}(\.\d*)?)$", ",", ".", "commas between thousands"),
    Format(r"^(\d*,\d+|\d+,?)$", "", ",", "decimal commas"),
    Format(r"^(\d*,\d+|\d+,?|[1-9]\d{0,2}(\.\d{3})+(,\d*)?)$", ".", ",", "points between thousands"),
    *(
        Format(rf"^(\d+\.?\d*|[1-9]\d{{0,2}}([{mark}]\d{{3}})+(\.\d*)?)$", mark, ".", f"{name} between thousands")
        for mark, name in (("'\\x{2019}", "apostrophes"), ("_", "underscores"), (_BLANKS, "blanks"))
    ),
    Format(rf"^(\d+,?\d*|[1-9]\d{{0,2}}([{_BLANKS}]\d{{3}})+(,\d*)?)$", _BLANKS, ",", "blanks between thousands"),
)
"""The formats, the plainest first; where several fit all cells, they agree on the order of the numbers."""


class Written(NamedTuple):
    """A column read as numbers."""

    values: Any
    """An Arrow array of float64, null where a cell is missing or does not agree."""
    strangers: Any
    """An Arrow array of booleans: cells that are there and do not agree."""
    says: str
    """What was taken off, such as "'$' and commas between thousands"."""


def read_numerals(text: Any) -> Written:
    """Read a column as numbers of the way of writing that most of its cells share.

    Args:
        text: An Arrow array of trimmed strings, null where a cell is missing.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.extract_regex(text, PATTERN)
    part = {name: pc.struct_field(parts, name) for name in ("open", "close", "before", "after", "digits", "exponent")}
    part["signs"] = pc.binary_join_element_wise(*(pc.struct_field(parts, n) for n in ("sign", "inner", "minus")), "")
    brackets = pc.and_(pc.equal(part["open"], "("), pc.equal(part["close"], ")"))
    closed = pc.equal(pc.equal(part["open"], "("), pc.equal(part["close"], ")"))
    good = pc.and_(closed, pc.less_equal(pc.utf8_length(part["signs"]), 1))
    before, after = (pc.utf8_trim_whitespace(part[name]) for name in ("before", "after"))
    around = pc.binary_join_element_wise(before, after, "\t")
    common = _commonest(pc.filter(around, pc.fill_null(good, False)))
    good = pc.and_(good, pc.equal(around, common))
    chosen, fits = _format_of(part["digits"], pc.fill_null(good, False))
    good = pc.fill_null(pc.and_(good, fits), False)
    digits = part["digits"]
    if chosen.group:
        digits = pc.replace_substring_regex(digits, f"[{chosen.group}]", "")
    if chosen.decimal != ".":
        digits = pc.replace_substring(digits, chosen.decimal, ".")
    exponent = pc.replace_substring_regex(part["exponent"], "[dD]", "e")  # as Fortran writes it
    negative = pc.or_(brackets, pc.match_substring_regex(part["signs"], "[-\u2212]"))
    plain = pc.binary_join_element_wise(pc.if_else(negative, "-", ""), digits, exponent, "")
    values = pc.if_else(good, plain, pa.scalar(None, pa.string())).cast(pa.float64())
    marks = [f"{mark!r}" for mark in common.split("\t") if mark] + ([chosen.says] if chosen.says else [])
    marks += ["brackets around negative numbers"] if pc.any(brackets).as_py() else []
    return Written(values, pc.and_(pc.is_valid(text), pc.invert(good)), " and ".join(marks))


def _commonest(texts: Any) -> str:
    """The value that comes most often; empty where there is none."""
    import pyarrow.compute as pc

    counts = pc.value_counts(texts).to_pylist()
    return str(max(counts, key=lambda row: row["counts"])["values"]) if counts else "\t"


def _format_of(digits: Any, good: Any) -> tuple[Format, Any]:
    """The first format of which the most cells are, and which cells those are."""
    import pyarrow.compute as pc

    best: tuple[int, Format, Any] | None = None
    wanted = pc.sum(good).as_py() or 0
    for form in FORMATS:
        fits = pc.match_substring_regex(digits, form.pattern)
        count = pc.sum(pc.and_(fits, good)).as_py() or 0
        if best is None or count > best[0]:
            best = (count, form, fits)
        if count == wanted:
            break
    assert best is not None
    return best[1], best[2]
