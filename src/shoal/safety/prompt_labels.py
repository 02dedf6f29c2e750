"""Labels of prompts: whether a request should be refused, in the words of the field's sets."""

from __future__ import annotations

from shoal.errors import DataError
from shoal.wording import quoted

_WORDS = {"safe": False, "unsafe": True, "harmless": False, "harmful": True}


def harm_of_label(label: object, place: str) -> bool:
    """Whether a label calls a request harmful.

    Args:
        label: ``safe``, ``unsafe``, ``harmless`` or ``harmful``, in any case.
        place: of its row, for the message.

    Raises:
        DataError: it is another word.
    """
    harmful = _WORDS.get(str(label).strip().lower())
    if harmful is None:
        raise DataError(f"{place}: the label is {label!r}; expected safe or unsafe")
    return harmful


def keep_label(known: dict[str, bool], prompt: str, *, harmful: bool, place: str) -> None:
    """Keep the label of a prompt; one that stands twice with two labels would be measured against one of them.

    Args:
        known: of the prompts so far, to which this one is added.
        prompt: as it is put to a model.
        harmful: its label.
        place: where it stands, for the message.

    Raises:
        DataError: the prompt has another label already.
    """
    if known.setdefault(prompt, harmful) != harmful:
        here, there = ("harmful", "harmless") if harmful else ("harmless", "harmful")
        raise DataError(f"{place}: {quoted(prompt)} is labelled {here}, and {there} before; leave one of the two out")
