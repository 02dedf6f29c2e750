"""What a search found: programs with their code lengths, the bits that they save, and the items that show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.wording import plural, probability

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from shoal.attribution.programs.program import ProgramShortcut


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowingItem:
    """An item on which the program's answer is not the rule's, and the model's answer is the program's."""

    prompt: str
    expected: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProgram:
    """A program that was compared with the answers of a model."""

    text: str
    """In plain words: what the answer is."""

    notation: str
    """In the notation of the grammar."""

    bits: float
    """Its code length; two to the minus bits is its prior."""

    bits_saved: float
    """Bits by which the answers are shorter with it than without, its own code length taken off."""

    agrees: int
    """Items on which the model's answer is the program's."""

    differs: int
    """Items on which the program's answer is not the rule's, nor that of a program found before it."""

    follows: int
    """Of these, on how many the model's answer is the program's."""

    share: float
    """The share of these on which it follows it; where log-probabilities are known, the probability that it does."""

    items: int
    """Items in all."""

    posterior: float
    """Probability of this program against the others and against there being none, before which it was as likely as
    its code is short."""

    equal_programs: int
    """Longer programs that give the same answers to all items, which cannot be told apart from it here."""

    found: bool
    """Whether it is more than chance finds (`SearchResult.alpha`) and explains enough (`SearchResult.min_share`)."""

    showing: tuple[ShowingItem, ...]
    """The items that show it."""

    shortcut: ProgramShortcut
    """The program as a shortcut, which can be added to the explanations."""

    @property
    def e_value(self) -> float:
        """Two to the bits saved: if the answers come without any further program, it exceeds x with probability 1/x."""
        return float(2.0 ** min(self.bits_saved, 1000))

    def __str__(self) -> str:
        return (
            f"{self.text}\n    {self.notation}\n    {self.bits:.1f} bits, saves {self.bits_saved:.1f} more than it "
            f"costs; the model follows it on {self.follows} of the {plural(self.differs, 'item')} where it is not the "
            f"rule ({probability(self.share)} by its probabilities), and agrees on {self.agrees} of {self.items}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        row = {name: getattr(self, name) for name in self.__slots__ if name not in ("showing", "shortcut")}
        return {**row, "e_value": self.e_value, "showing": [asdict(each) for each in self.showing]}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """The programs that were found, and the best of those that were not enough."""

    programs: tuple[FoundProgram, ...]
    """Those found first, in the order in which they were found; then the others by bits saved."""

    tried: int
    """Programs with different answers that were tried."""

    named: tuple[str, ...]
    """The explanations that were known before: what equals them is not found again."""

    alpha: float
    """The probability of finding something where nothing is, if answers are as the null has them."""

    min_share: float
    """The smallest share of the items that differ from the rule that a program must explain."""

    @property
    def found(self) -> tuple[FoundProgram, ...]:
        """The programs that explain what nothing named explains."""
        return tuple(program for program in self.programs if program.found)

    @property
    def shortcuts(self) -> Mapping[str, ProgramShortcut]:
        """The programs found as shortcuts, by notation, to be added to the explanations of a task."""
        return {program.notation: program.shortcut for program in self.found}

    def __str__(self) -> str:
        known = ", ".join(self.named) or "none"
        if not self.found:
            lines = [
                f"No program found: none of {self.tried:,} explains the answers better than what is known ({known})."
            ]
            lines += [f"  The best of them: {program}" for program in self.programs[:1]]
            return "\n".join(lines)
        lines = [
            f"{plural(len(self.found), 'program')} found among {self.tried:,}, which is none of those known ({known}):"
        ]
        for number, program in enumerate(self.found, 1):
            lines.append(f"{number}. {program}")
            lines += [
                f"    {item.prompt[-60:]!r} → {item.answer[:40]!r} (right: {item.expected[:40]!r})"
                for item in program.showing[:3]
            ]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "programs": [program.to_dict() for program in self.programs],
            "tried": self.tried,
            "named": list(self.named),
            "alpha": self.alpha,
            "min_share": self.min_share,
        }

    def to_frame(self) -> pd.DataFrame:
        """A row per program."""
        import pandas as pd

        rows = [program.to_dict() for program in self.programs]
        return pd.DataFrame([{name: value for name, value in row.items() if name != "showing"} for row in rows])
