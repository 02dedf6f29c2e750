"""From documents to prompts, choices and gold answers, byte by byte as lm-evaluation-harness 0.4.13 writes them.

Its rules are followed to the letter, odd ones too: a key that is the name of a column stands for the column, else for
a template; a number as text is a place among the choices; a target in square brackets is a list; the delimiter of a
target is left out where there is nothing behind it.
"""

from __future__ import annotations

import ast
from random import Random
from typing import TYPE_CHECKING, Any

from shoal.errors import DataError
from shoal.evaluation.benchmarks.templates import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shoal.evaluation.benchmarks.documents import Document
    from shoal.evaluation.benchmarks.task_files import TaskFile, Template

_MAX_DIGITS = 9
FEWSHOT_SEED = 1234
"""Of the examples that are drawn, as lm-evaluation-harness seeds them."""


class Prompter:
    """Writes the prompts of one task.

    Args:
        task: the task file.
        documents: the split that is scored; at least one.
        pool: the documents that examples are taken from; they may be the same.
        shots: how many examples stand before each question.
        pool_is_scored: whether the pool is the split that is scored, so that a document must not be its own example.

    Raises:
        DataError: the first document does not fit the templates.
    """

    def __init__(
        self,
        task: TaskFile,
        documents: Sequence[Document],
        pool: Sequence[Document],
        *,
        shots: int,
        pool_is_scored: bool,
    ) -> None:
        self.task = task
        self.documents = documents
        self.shots = shots
        # Of the first document, as in lm-evaluation-harness, where a data set's columns are those of all rows.
        self._columns = set(documents[0])
        self._pool = pool
        self._pool_is_scored = pool_is_scored
        if shots and len(pool) < shots + pool_is_scored:
            raise DataError(
                f"{task.name}: {shots} examples before each question need as many documents, not {len(pool)}"
            )
        # What the first document gives decides how all are read.
        first = documents[0]
        self.several_inputs = isinstance(self.text(first), int) and task.doc_to_choice is not None
        self.several_targets = isinstance(self.target(first), list)

    def text(self, document: Document, template: Template = None) -> Any:
        """The question: text, or the place of a choice where each choice is a question of its own.

        Args:
            document: its columns.
            template: another one than the task's.
        """
        chosen = self.task.doc_to_text if template is None else template
        if isinstance(chosen, int):
            return chosen
        if not isinstance(chosen, str):
            raise DataError(f"{self.task.name}: doc_to_text must be text, not {chosen!r}")
        if chosen in self._columns:
            return document[chosen]
        rendered = render(chosen, document)
        return int(rendered) if self._is_place(rendered) else rendered

    def target(self, document: Document, template: Template = None) -> Any:
        """The gold answer: text, the place of a choice, or a list of either.

        Args:
            document: its columns.
            template: another one than the task's.
        """
        chosen = self.task.doc_to_target if template is None else template
        if isinstance(chosen, (int, list)):
            return chosen
        if not isinstance(chosen, str):
            raise DataError(f"{self.task.name}: doc_to_target must be text, a number or a list, not {chosen!r}")
        if chosen in self._columns:
            return document[chosen]
        rendered = render(chosen, document)
        if self._is_place(rendered):
            return int(rendered)
        if len(rendered) >= 2 and rendered[0] == "[" and rendered[-1] == "]":
            try:
                # Literals alone: the text comes from a data set, and must not be run.
                return ast.literal_eval(rendered)
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                return rendered
        return rendered

    def choices(self, document: Document, template: Template = None) -> list[str]:
        """The answers that a question offers.

        Args:
            document: its columns.
            template: another one than the task's.

        Raises:
            DataError: they are no list.
        """
        chosen = self.task.doc_to_choice if template is None else template
        found: Any = chosen
        if isinstance(chosen, dict):
            found = list(chosen.values())
        elif isinstance(chosen, str) and chosen in self._columns:
            found = document[chosen]
        elif isinstance(chosen, str):
            rendered = render(chosen, document)
            try:
                found = ast.literal_eval(rendered)
            except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
                raise DataError(f"{self.task.name}: doc_to_choice gives {rendered[:80]!r}, which is no list") from error
        if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
            raise DataError(f"{self.task.name}: the choices must be a list of texts, not {str(found)[:80]!r}")
        return found

    def _is_place(self, rendered: str) -> bool:
        # No task has so many choices that more digits name one of them; Python refuses to read thousands.
        digits = rendered.isdigit() and rendered.isascii() and len(rendered) <= _MAX_DIGITS
        return digits and self.task.doc_to_choice is not None

    def prefix(self, document: Document) -> str | None:
        """What the answer begins with (``gen_prefix``), if the task has it."""
        given = self.task.gen_prefix
        if given is None:
            return None
        return str(document[given]) if given in self._columns else render(given, document)

    def contexts(self, count: int | None = None) -> Iterator[str | list[str]]:
        """The prompt of each document in order; a list where each choice is a question of its own.

        Examples are drawn one document after the other by one generator, so that the prompts of the first documents do
        not depend on how many follow.

        Args:
            count: how many documents; None takes all.
        """
        # One generator for all documents: the examples of one depend on those drawn before, so that none may be left
        # out.
        random = Random(FEWSHOT_SEED)
        for document in self.documents[:count]:
            yield self._context(document, random)

    def _context(self, document: Document, random: Random) -> str | list[str]:
        examples = map(self._example, self._examples(document, random))
        before = "".join([self._field(document, self.task.description), *examples])
        prefix = self.prefix(document)
        question = self.text(document)
        if self.several_inputs:
            # The delimiter stands before the target, see `requests_of`.
            return [before + _question(each, prefix, "") for each in self.choices(document)]
        if not isinstance(question, str):
            raise DataError(f"{self.task.name}: the question must be text, not {question!r}")
        return before + _question(question, prefix, self.task.target_delimiter)

    def _examples(self, document: Document, random: Random) -> list[Document]:
        if not self.shots:
            return []
        if self.task.fewshot.sampler == "first_n":
            pool = [each for each in self._pool if each != document] if self._pool_is_scored else self._pool
            return list(pool[: self.shots])
        # One more, so that enough are left where the document itself was drawn.
        drawn = random.sample(range(len(self._pool)), self.shots + self._pool_is_scored)
        chosen = [self._pool[place] for place in drawn]
        if self._pool_is_scored:
            chosen = [each for each in chosen if each != document][: self.shots]
        return chosen

    def _example(self, document: Document) -> str:
        """A question with its answer and the delimiter behind it."""
        settings = self.task.fewshot
        question, answer = self.text(document, settings.doc_to_text), self.target(document, settings.doc_to_target)
        choices = self.choices(document, settings.doc_to_choice) if settings.doc_to_choice else None
        prefix = self._field(document, settings.gen_prefix) or None
        if self.several_inputs and choices is not None and isinstance(question, int):
            question, choices = _choice_at(choices, question, self.task.name), None
        answered = answer not in (None, "")
        if choices is not None and isinstance(answer, int):
            answer = _choice_at(choices, answer, self.task.name)
        elif isinstance(answer, list):
            answer = answer[0] if answer else ""
        if not isinstance(question, str) or (answered and not isinstance(answer, str)):
            raise DataError(f"{self.task.name}: an example needs text on both sides, not {question!r} and {answer!r}")
        if not answered:
            return _question(question, prefix, settings.target_delimiter)
        delimiter = "" if prefix and not _apart(question, prefix) else settings.target_delimiter
        return question + delimiter + _joined(prefix, answer, " ") + settings.delimiter

    def _field(self, document: Document, field: str | None) -> str:
        if not field:
            return ""
        return str(document[field]) if field in document else render(field, document)

    def requests(self, document: Document, context: str | list[str]) -> list[tuple[str, str]]:
        """The (context, continuation) pairs whose log-likelihoods decide a document; a rolling text has no context.

        Args:
            document: its columns.
            context: its prompt.
        """
        task = self.task
        if task.output_type == "loglikelihood_rolling":
            return [("", _checked_text(self.target(document), task.name))]
        if task.output_type == "loglikelihood":
            return [(_checked_text(context, task.name), _checked_text(self.target(document), task.name))]
        delimiter, choices = task.target_delimiter, self.choices(document)
        if task.contexts is not None:
            pairs = list(zip(_contexts(document, task.contexts, len(choices)), choices, strict=True))
        elif isinstance(context, list):
            target = self.target(document)
            pairs = [(each, f"{delimiter}{target}") for each in context]
        else:
            pairs = [(context, f"{delimiter}{choice}") for choice in choices]
        if any(metric.name == "acc_mutual_info" for metric in task.metrics):
            # The choices without the question come behind all others, where the metric looks for them.
            pairs += [("", f"{delimiter}{choice}") for choice in choices]
        return pairs


def _question(question: str, prefix: str | None, delimiter: str) -> str:
    if not prefix:
        return question
    return question + (delimiter if _apart(question, prefix) else "") + prefix


def _apart(one: str, other: str) -> bool:
    """Whether a delimiter belongs between two texts: neither has white space where they meet."""
    return bool(one) and bool(other) and not (one[-1].isspace() or other[0].isspace())


def _joined(one: str | None, other: str, delimiter: str) -> str:
    if not one or not other:
        return (one or "") + other
    return one + (delimiter if _apart(one, other) else "") + other


def _choice_at(choices: Sequence[str], place: int, name: str) -> str:
    if not -len(choices) <= place < len(choices):
        raise DataError(f"{name}: an example names choice {place}, and there are {len(choices)} choices")
    return choices[place]


def _contexts(document: Document, column: str, count: int) -> list[str]:
    found = document.get(column)
    if not isinstance(found, list) or len(found) != count or not all(isinstance(each, str) for each in found):
        raise DataError(f"the column {column} must hold a text before each of the {count} choices")
    return found


def _checked_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"{name}: expected a text to be scored, not {str(value)[:80]!r}")
    return value


def few_shot_pool(task: TaskFile, splits: Mapping[str, Sequence[Document]]) -> tuple[Sequence[Document], bool]:
    """The documents that examples are taken from, and whether they are those that are scored.

    Args:
        task: the task file.
        splits: the documents of each split that the task names.
    """
    chosen = few_shot_split(task)
    # lm-evaluation-harness leaves a document out of its own examples where these names agree, two absent ones too.
    scored = task.fewshot.split == task.test_split
    if chosen is None:
        return task.fewshot.samples or (), scored
    return splits[chosen], scored


def few_shot_split(task: TaskFile) -> str | None:
    """The split that examples are taken from; None where the file holds them itself."""
    if task.fewshot.split is not None:
        return task.fewshot.split
    if task.fewshot.samples is not None:
        return None
    return task.training_split or task.validation_split or task.test_split
