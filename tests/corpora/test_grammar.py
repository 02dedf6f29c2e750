"""Stories of the grammar: what is asked for is there, and what is told can be read and asked about."""

from __future__ import annotations

import re
import zipfile
from itertools import islice

import pytest

from shoal.corpora import find_ascending_run, read_zipped_stories
from shoal.corpora.grammar import (
    FEATURES,
    answer_question,
    ask_questions,
    child_words,
    find_features,
    instruct,
    missing_words,
    read_events,
    tell_stories,
    tell_story,
    word_classes,
)
from shoal.corpora.grammar.lexicon import BOYS, GIRLS, PETS
from shoal.corpora.grammar.plots import PLOTS
from shoal.errors import DataError, UnknownNameError, UsageError

NAMES = {name.lower() for name in (*GIRLS, *BOYS, *PETS)}
STORIES = tuple(islice(tell_stories(seed=11), 400))


def words_of(text):
    return {word.removesuffix("'s") for word in re.findall(r"[a-z]+(?:'[a-z]+)?", text.lower())}


def test_equal_seeds_give_equal_stories_and_others_differ():
    assert [story.text for story in islice(tell_stories(seed=11), 20)] == [story.text for story in STORIES[:20]]
    assert next(tell_stories(seed=12)).text != STORIES[0].text


def test_a_story_can_be_told_alone_by_its_index():
    assert tell_story(11, 7) == STORIES[7]
    assert next(tell_stories(seed=11, start=7)) == STORIES[7]


def test_no_two_stories_are_equal_and_all_plots_are_told():
    assert len({story.text for story in STORIES}) == len(STORIES)
    assert {story.plot for story in STORIES} == set(PLOTS)


def test_what_is_read_from_the_text_is_what_was_told():
    for story in STORIES:
        told = [
            (event.kind, {slot: value for slot, value in event.slots.items() if slot != "at"}) for event in story.events
        ]
        assert [tuple(event) for event in read_events(story.text)] == told


def test_every_question_is_answered_from_the_text_alone():
    asked = 0
    for story in STORIES[:60]:
        for question in ask_questions(story.events):
            assert answer_question(story.text, question.question) == question.answer
            asked += 1
    assert asked > 600


def test_answers_follow_the_text_and_not_the_record():
    story = next(
        one for one in STORIES if any(q.kind == "where" and "find" in q.question for q in ask_questions(one.events))
    )
    question = next(q for q in ask_questions(story.events) if q.kind == "where" and "find" in q.question)
    moved = story.text.replace(question.answer, "under the bed" if "bed" not in question.answer else "in the mud")
    assert answer_question(moved, question.question) != question.answer


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_is_asked_for_is_found_by_program(feature):
    for story in islice(tell_stories(seed=3, features=[feature]), 40):
        assert feature in story.features
        assert story.features == find_features(story.text, read_events(story.text))


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_that_is_not_asked_for_is_often_absent(feature):
    share = sum(feature in story.features for story in STORIES) / len(STORIES)
    assert 0.02 < share < 0.9


def test_a_mended_harm_is_no_bad_ending():
    told = "Once there was a shy frog named Pip. Pip had a red ball. Pip broke the ball. Pip was sad."
    assert find_features(told, read_events(told)) == ("bad ending",)
    mended = told + " Pip fixed the ball. Pip was happy."
    assert find_features(mended, read_events(mended)) == ()


def test_drawn_and_given_words_are_in_the_story():
    assert all(missing_words(story.text, story.words) == () for story in STORIES)
    for story in islice(tell_stories(seed=4, words=["swim", "shell", "purple"]), 20):
        assert {"shell", "purple"} <= words_of(story.text)
        assert {"swim", "swam"} & words_of(story.text)


@pytest.mark.parametrize("given", [["clean", "run"], ["run", "clean"]])
def test_a_word_of_two_classes_takes_the_one_that_the_others_leave(given):
    words = next(tell_stories(seed=4, words=given)).words
    assert (words.verb, words.adjective) == ("run", "clean")


def test_a_word_that_is_missing_is_named():
    story = next(tell_stories(seed=4, words=["shell"]))
    assert missing_words(story.text.replace("shell", "bell"), story.words) == ("shell",)


def test_every_word_is_on_the_list_of_a_childs_words():
    told = set().union(*(words_of(story.text) for story in STORIES))
    assert told - NAMES - child_words() == set()


def test_the_list_holds_dolchs_words_and_hardly_one_that_childrens_stories_lack(data_folder):
    with zipfile.ZipFile(data_folder / "nltk" / "dolch.zip") as archive:
        files = [name for name in archive.namelist() if not name.endswith(("/", "README"))]
        dolch = {word.lower() for name in files for word in archive.read(name).decode().split()}
    assert len(dolch) > 300
    assert dolch - child_words() == set()
    sample = (data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt").read_text()
    books = read_zipped_stories(data_folder / "storybooks-ccby" / "storybooks.zip")
    known = words_of("\n".join([sample, *books]).replace("\u2019", "'"))
    assert len(child_words() - known) / len(child_words()) < 0.03


def test_the_list_holds_words_of_the_language_alone(data_folder):
    with zipfile.ZipFile(data_folder / "nltk" / "words.zip") as archive:
        english = {word.lower() for word in archive.read("words/en").decode().split()}
    endings = ("", "s", "d", "ed", "es", "ing", "ies", "y")
    strange = {
        word
        for word in child_words()
        if not any(word.removesuffix(end) + add in english for end in endings for add in ("", "e", "y"))
    }
    irregular = {word for word in strange if word.endswith("'t") or word[:-3] in english or word[:-4] in english}
    assert len(strange - irregular) < 12, sorted(strange - irregular)


def test_no_story_counts_up():
    assert all(find_ascending_run(story.text) is None for story in STORIES)


def test_instructions_hold_what_the_story_keeps():
    seen = set()
    for story in STORIES:
        head, _, body = instruct(story).partition("Story:\n\n")
        assert body == story.text
        parts = dict(line.split(": ", 1) for line in head.splitlines())
        seen |= set(parts)
        assert parts
        assert parts.get("Random sentence", story.text) in story.text
        assert "{" not in head
    assert seen == {"Words", "Features", "Summary", "Random sentence"}


def test_unknown_features_and_words_name_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'dialogue'"):
        next(tell_stories(seed=0, features=["dialog"]))
    with pytest.raises(UnknownNameError, match="did you mean 'ball'"):
        next(tell_stories(seed=0, words=["balll"]))
    with pytest.raises(UsageError, match="'ball' and 'shell' are both a noun"):
        next(tell_stories(seed=0, words=["ball", "shell"]))


def test_a_text_of_another_hand_is_refused():
    with pytest.raises(DataError, match=r"no form of the story grammar gives .Call me Ishmael\."):
        read_events("Call me Ishmael.")
    with pytest.raises(DataError, match="does not answer"):
        answer_question(STORIES[0].text, "Who is the king of France?")


def test_every_word_that_can_be_asked_for_is_in_its_class_once():
    assert all(len(set(members)) == len(members) for members in word_classes().values())
