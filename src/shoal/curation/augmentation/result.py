"""What an augmentation gave, and what it dropped and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from shoal.wording import plural

if TYPE_CHECKING:
    import pandas as pd

    from shoal.tasks import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodCount:
    """What became of the candidates of one method."""

    method: str
    """With its parameters."""

    accepted: int = 0
    unchanged: int = 0
    """Equal to what they were made of."""

    duplicate: int = 0
    """Equal to an example that is there already."""

    held_out: int = 0
    """Equal to a held-out example, or an item of the held-out part."""

    wrong: int = 0
    """The rule answers them otherwise than their completion."""

    unreadable: int = 0
    """The rule cannot read them, so that nothing is known of their answer."""

    @property
    def made(self) -> int:
        """All candidates."""
        return sum(getattr(self, one.name) for one in fields(self) if one.name != "method")

    def __str__(self) -> str:
        """One line."""
        reasons = {
            "unchanged": self.unchanged,
            "duplicates": self.duplicate,
            "in the held-out part": self.held_out,
            "wrong by the rule": self.wrong,
            "not readable by the rule": self.unreadable,
        }
        dropped = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items() if count)
        return f"{self.method}: {plural(self.made, 'candidate')}, {self.accepted:,} accepted" + (
            f" ({dropped})" if dropped else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Examples with those that were made of them behind, and the counts."""

    examples: tuple[Example, ...]
    """The examples that were there, in order, and the accepted ones."""

    originals: int
    """How many of them were there."""

    checked: bool
    """Whether a rule checked the accepted ones."""

    methods: tuple[MethodCount, ...]

    @property
    def added(self) -> tuple[Example, ...]:
        """The accepted examples."""
        return self.examples[self.originals :]

    def to_dict(self) -> dict[str, Any]:
        """Counts as plain values, without the examples."""
        return {
            "originals": self.originals,
            "added": len(self.added),
            "checked": self.checked,
            "methods": [{**asdict(method), "made": method.made} for method in self.methods],
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per method."""
        import pandas as pd

        return pd.DataFrame(self.to_dict()["methods"]).set_index("method")

    def __str__(self) -> str:
        """What was added, and a line per method."""
        check = "each checked by the rule" if self.checked else "not checked: no rule is known"
        head = f"{plural(len(self.added), 'example')} added to {self.originals:,}, {check}"
        return "\n".join([head, *(f"  {method}" for method in self.methods)])
