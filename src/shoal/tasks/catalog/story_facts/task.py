"""The task of plot facts: a short story and a question whose answer is one of its facts.

``Mia found a red kite under the bed. She gave Tom the kite. Question: Who gave the kite to Tom? Answer:`` gives
`` Mia``. Stories and questions are those of the story grammar (`shoal.corpora.grammar`); the rule reads the facts from
the text alone. The shortcuts answer with the right kind of thing from the wrong place.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from shoal.corpora.grammar import (
    entity_words,
    write_short_story,
)
from shoal.errors import DataError, UsageError
from shoal.tasks import checks
from shoal.tasks.answer_measures import TEXT_MEASURES
from shoal.tasks.catalog.story_facts.mentions import (
    NAMES,
    Mention,
    answer_kinds,
    events_of,
    kind_pattern,
    mentions_of,
    parts_of,
    prompt_of,
    questions_of,
    without_spots,
)
from shoal.tasks.generated import OTHER_SURFACE, SAME_SURFACE, build_task
from shoal.tasks.registry import register_task

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from shoal.tasks.splits import SplitSpec
    from shoal.tasks.task import Example, Shortcut, Tag, Task, VariantKind

QUESTION_WORDS = ("who", "what", "where")

_TRIES = 50
_CHOICES = 2
"""How many other words are tried for each word that a variant changes."""


@register_task("story-facts", structural_split="tag(tag='length',at_least=5)", measures=TEXT_MEASURES)
def story_facts(
    *,
    min_events: int = 3,
    max_events: int = 5,
    questions: str | Sequence[str] = QUESTION_WORDS,
    examples: int = 400,
    seed: int = 0,
    split: SplitSpec = "random(share=0.3)",
) -> Task:
    """Answer who, what or where after a short story: prompt ``... Question: Who gave the kite to Tom? Answer:``.

    The tags are ``length`` (events of the story), ``question`` (``who``, ``what`` or ``where``) and ``group`` (the
    story).

    Args:
        min_events: the fewest things that happen in a story.
        max_events: the most.
        questions: the question words, one or several of ``who``, ``what`` and ``where``, equally frequent.
        examples: how many.
        seed: random seed of the examples.
        split: the split by name, table or object; ``tag(tag='question',values='where')`` holds out a kind of question.

    Raises:
        UnknownNameError: no such question word.
        UsageError: an option cannot be used.
    """
    words = (questions,) if isinstance(questions, str) else tuple(questions)
    if not words:
        raise UsageError("questions is empty; give at least one of who, what and where")
    for word in words:
        checks.one_of("question word", word, QUESTION_WORDS)
    return build_task(
        "story-facts",
        sizes=checks.size_range("events", min_events, max_events, maximum=30),
        draw=lambda generator, size: _draw(generator, size, words),
        rule=story_rule,
        tags=_tags,
        shortcuts=SHORTCUTS,
        variants=_variants,
        examples=examples,
        seed=seed,
        split=split,
    )


def story_rule(prompt: str) -> str:
    """The answer to the question of a prompt, from the facts of its story.

    Raises:
        DataError: the prompt is of another form, or its story does not answer the question.
    """
    story, question = parts_of(prompt)
    for known in questions_of(story):
        if known.question == question:
            return f" {known.answer}"
    raise DataError(f"the story does not answer {question!r}; ask about something that happens in it")


def _draw(generator: random.Random, size: int, words: Sequence[str]) -> str:
    """A story of that many events and a question about it, which more than one thing in the story could answer."""
    word = generator.choice(words)
    while True:
        # In stories of one or two events there may be no second thing, so the tries are counted.
        for _ in range(_TRIES):
            story = write_short_story(generator, size)
            prompts = [prompt_of(story, question) for question in _possible_questions(story, word)]
            open_ones = [prompt for prompt in prompts if len({mention.text for mention in mentions_of(prompt)}) > 1]
            if open_ones:
                return generator.choice(open_ones)
        if prompts:
            return generator.choice(prompts)


def _possible_questions(story: str, word: str) -> list[str]:
    """The questions with this question word that are put."""
    return [
        known.question
        for known in questions_of(story)
        # A thing that was lost belongs to nobody, and nobody is no name in the story.
        if known.question.lower().startswith(word) and answer_kinds(known.question) and known.answer != "nobody"
    ]


def _tags(prompt: str) -> Mapping[str, Tag]:
    story, question = parts_of(prompt)
    return {
        "length": len(events_of(story)),
        "question": question.partition(" ")[0].lower(),
        "group": hashlib.blake2b(story.encode(), digest_size=6).hexdigest(),
    }


def _by_candidates(choose: Callable[[Sequence[Mention], str], Mention | None]) -> Shortcut:
    """The shortcut that answers with one of the words that could be the answer, chosen by them and the prompt."""

    def shortcut(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
        candidates = mentions_of(prompt)
        chosen = choose(candidates, prompt) if candidates else None
        return f" {chosen.text}" if chosen else ""

    return shortcut


def _most_mentioned(candidates: Sequence[Mention], prompt: str) -> Mention:  # noqa: ARG001
    """The one whose word stands most often; of equals, the first."""
    counts = Counter(candidate.text for candidate in candidates)
    return max(candidates, key=lambda candidate: counts[candidate.text])


def _nearest_to_question(candidates: Sequence[Mention], prompt: str) -> Mention | None:
    """The one nearest to where the story last mentions a word of the question, and that is none of the question's."""
    story, question = parts_of(prompt)
    asked = kind_pattern(("thing", "food", *NAMES)).findall(without_spots(question))
    places = [match.start() for word in asked for match in re.finditer(rf"\b{word}\b", story)]
    free = [candidate for candidate in candidates if candidate.text not in asked]
    if not places or not free:
        return None
    return min(free, key=lambda candidate: abs(candidate.place - max(places)))


def _in_sentence_like_question(candidates: Sequence[Mention], prompt: str) -> Mention | None:
    """The first one in the sentence that shares the most words with the question."""
    story, question = parts_of(prompt)
    words = set(re.findall(r"\w+", question.lower()))
    sentences = list(re.finditer(r"[^.!?]+[.!?]", story))
    best = max(sentences, key=lambda match: len(words & set(re.findall(r"\w+", match[0].lower()))))
    asked = kind_pattern(NAMES).findall(question)
    inside = [mention for mention in candidates if best.start() <= mention.place < best.end()]
    return next((mention for mention in inside if mention.text not in asked), None)


def _name_in_question(prompt: str, seen: Sequence[Example]) -> str:  # noqa: ARG001
    """The last name in the question, whatever is asked."""
    names = kind_pattern(NAMES).findall(parts_of(prompt).question)
    return f" {names[-1]}" if names else ""


def _same_question(prompt: str, seen: Sequence[Example]) -> str:
    """The completion of the seen question that is nearest in edits, whatever its story."""
    if not seen:
        return ""
    questions = [parts_of(example.prompt).question for example in seen]
    _, _, place = process.extractOne(parts_of(prompt).question, questions, scorer=Levenshtein.distance)
    return seen[place].completion


def _commonest_of_word(prompt: str, seen: Sequence[Example]) -> str:
    """The commonest completion of the seen questions with the same question word; of equals, the first."""
    word = parts_of(prompt).question.partition(" ")[0]
    known = Counter(
        example.completion for example in seen if parts_of(example.prompt).question.partition(" ")[0] == word
    )
    return known.most_common(1)[0][0] if known else ""


SHORTCUTS: Mapping[str, Shortcut] = {
    "first-mention": _by_candidates(lambda candidates, prompt: candidates[0]),  # noqa: ARG005
    "last-mention": _by_candidates(lambda candidates, prompt: candidates[-1]),  # noqa: ARG005
    "most-mentioned": _by_candidates(_most_mentioned),
    "nearest-mention": _by_candidates(_nearest_to_question),
    "sentence-like-question": _by_candidates(_in_sentence_like_question),
    "name-in-question": _name_in_question,
    "commonest-of-question": _commonest_of_word,
    "copy-same-question": _same_question,
}


def _variants(prompt: str, generator: random.Random) -> Iterator[tuple[VariantKind, str]]:
    answer = story_rule(prompt).strip()
    spots = " ".join(kind_pattern(("spot",)).findall(prompt))
    for kind, known in entity_words().items():
        text = prompt if kind == "spot" else without_spots(prompt)
        free = [word for word in known if not _holds(prompt, word)]
        for word in dict.fromkeys(kind_pattern((kind,)).findall(text)):
            # A place or a thing that is also part of a spot stays, since the spot would change with it.
            if kind != "spot" and _holds(spots, word):
                continue
            # Words of one list go with the same pronouns and articles, so that the rest of the story stays as it is.
            in_answer = _holds(answer, word)
            others = _nearest(word, free) if in_answer else generator.sample(free, _CHOICES)
            for other in others:
                yield SAME_SURFACE if in_answer else OTHER_SURFACE, re.sub(rf"\b{word}\b", other, prompt)


def _holds(text: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", text) is not None


def _nearest(word: str, others: Sequence[str]) -> list[str]:
    return sorted(others, key=lambda other: Levenshtein.distance(word, other))[:_CHOICES]
