"""What a rule or a shortcut answers to a prompt, its faults named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.tasks.task import Example, Rule, Shortcut


def rule_answer(rule: Rule, prompt: str) -> str:
    """The rule's completion of a prompt.

    Args:
        rule: of a task.
        prompt: to complete.

    Raises:
        DataError: the rule cannot read the prompt, raises an error of its own, or gives no text.
    """
    try:
        answer = rule(prompt)
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"the rule failed on the prompt {prompt[:60]!r} ({type(error).__name__}: {error}); mend the rule"
        ) from error
    if not isinstance(answer, str) or not answer:
        raise DataError(f"the rule gave {answer!r} for the prompt {prompt[:60]!r}; it must return a text")
    return answer


def shortcut_answer(name: str, shortcut: Shortcut, prompt: str, seen: Sequence[Example]) -> str | None:
    """A shortcut's completion of a prompt; None where it does not apply, as it cannot read the prompt or gives nothing.

    Args:
        name: of the shortcut.
        shortcut: of a task.
        prompt: to complete.
        seen: the examples that the shortcut may look at.

    Raises:
        DataError: the shortcut raises an error of its own, or gives no text.
    """
    try:
        answer = shortcut(prompt, seen)
    except DataError:
        return None
    except Exception as error:
        raise DataError(
            f"the shortcut {name!r} failed on the prompt {prompt[:60]!r} ({type(error).__name__}: {error}); "
            "let it return an empty text where it does not apply"
        ) from error
    if not isinstance(answer, str):
        raise DataError(f"the shortcut {name!r} gave {answer!r} for {prompt[:60]!r}; it must return a text")
    return answer or None
