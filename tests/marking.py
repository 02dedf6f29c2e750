"""Judges whose sight is known, for tests: each is a function from the question to the text of an answer."""

from __future__ import annotations

import itertools
import json
import random
import re
from functools import cache

from shoal.corpora.grammar import lexicon, tell_story
from shoal.corpora.grammar.lexicon import VERBS

NAMED = {*lexicon.GIRLS, *lexicon.BOYS, *lexicon.PETS, *lexicon.THINGS, *lexicon.PLACES}
KINDS = {
    **dict.fromkeys((*lexicon.GIRLS, *lexicon.BOYS, *lexicon.PETS), "name"),
    **dict.fromkeys(lexicon.THINGS, "thing"),
    **dict.fromkeys(lexicon.PLACES, "place"),
    **dict.fromkeys(lexicon.COLORS, "colour"),
}


def parts(question):
    """The instruction and the story of a question."""
    return re.findall(r"<<<\n(.*?)\n>>>", question, re.DOTALL)


@cache
def known_bigrams():
    """Pairs of neighbouring words of other stories of the grammar."""
    return {pair for index in range(1500) for pair in bigrams(tell_story(99, index).text)}


def bigrams(text):
    words = [KINDS.get(word, word) for word in re.findall(r"[A-Za-z']+|[.!?,]", text)]
    return list(itertools.pairwise(words))


def grammar_mark(story):
    pairs = bigrams(story)
    unknown = sum(pair not in known_bigrams() for pair in pairs) / len(pairs)
    return max(1, round(10 - 25 * unknown))


def consistency_mark(story):
    mentions = [word for word in re.findall(r"[A-Za-z]+", story) if word in NAMED]
    alone = sum(mentions.count(word) == 1 for word in mentions) / max(1, len(mentions))
    return max(1, round(10 - 9 * alone))


def instruction_mark(asked, story):
    wanted = re.findall(r'"(\w+)"', asked)
    held = set(re.findall(r"[a-z]+", story.lower()))
    missing = sum(not {word, word + "s", VERBS.get(word, word)} & held for word in wanted)
    return 10 - 3 * missing


def answer(grammar, consistency, instruction):
    marks = {"grammar": grammar, "creativity": 5, "consistency": consistency, "instruction": instruction, "age": "B"}
    return json.dumps(marks)


def seeing(question):
    """Looks at each kind of damage by itself."""
    asked, story = parts(question)
    return answer(grammar_mark(story), consistency_mark(story), instruction_mark(asked, story))


def seeing_grammar_alone(question):
    """A fluent judge that does not follow the plot and does not read the instruction."""
    return answer(grammar_mark(parts(question)[1]), 7, 7)


def haloed(question):
    """Sees something wrong, and lowers every mark for it."""
    asked, story = parts(question)
    mark = min(grammar_mark(story), consistency_mark(story), instruction_mark(asked, story))
    return answer(mark, mark, mark)


def blind(question):
    """Says the same of everything."""
    return answer(8, 8, 8)


def chance(question):
    """Marks that depend on nothing that matters."""
    rng = random.Random(question)
    return answer(rng.randint(1, 10), rng.randint(1, 10), rng.randint(1, 10))
