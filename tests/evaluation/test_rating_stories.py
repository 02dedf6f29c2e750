"""The measures of stories that need no judge, on texts whose value is known and on real small models."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from architectures import tiny_model
from shoal.corpora.grammar import tell_story
from shoal.errors import DataError, TooLongError, UnknownNameError, UsageError
from shoal.evaluation.judging import Judgement
from shoal.evaluation.likelihoods import document_opening, encode_texts
from shoal.evaluation.stories import (
    Completion,
    CopyFinder,
    Material,
    Sampling,
    StoryMeasure,
    StoryPrompt,
    StoryRating,
    complete_prompts,
    default_prompts,
    held_out_bits,
    make_questions,
    rate_model,
    read_beginnings,
    read_story_prompts,
    score_facts,
)
from shoal.evaluation.stories.instruction_following import held_features, held_words, measure_following
from shoal.evaluation.stories.measures import clustered_mean
from shoal.evaluation.stories.plot_qa import FactScores
from shoal.evaluation.stories.variety import distinct, self_overlap
from shoal.models import load_for_scoring, load_model
from shoal.reports import rating_page
from tiny_models import byte_tokenizer, tiny_llama

PROMPTS = (StoryPrompt(text="One day, a cat"), StoryPrompt(text="Tom had a"))


@pytest.fixture(scope="module")
def reader():
    return load_for_scoring("bundled:searches")


SAMPLING = Sampling(completions=2, max_tokens=20, seed=5)


def said(*texts, prompt=PROMPTS[0]):
    return [
        Completion(prompt=prompt, number=number, text=text, ended=True, tokens=1, key=str(number))
        for number, text in enumerate(texts)
    ]


def test_completions_do_not_hang_on_what_goes_with_them(reader):
    all_of_them = complete_prompts(reader.model, reader.tokenizer, PROMPTS, replace(SAMPLING, completions=3))
    alone = complete_prompts(reader.model, reader.tokenizer, PROMPTS[1:], SAMPLING)
    assert [one.text for one in alone] == [one.text for one in all_of_them[3:5]]
    assert len({one.text for one in all_of_them}) == 6
    other = complete_prompts(reader.model, reader.tokenizer, PROMPTS, replace(SAMPLING, completions=3, seed=6))
    assert [one.text for one in other] != [one.text for one in all_of_them]


def test_a_broken_run_goes_on_where_it_was(reader, tmp_path):
    record = tmp_path / "c.jsonl"
    settings = {"sampling": Sampling(completions=2, max_tokens=10), "digest": "w", "record": record}
    first = complete_prompts(reader.model, reader.tokenizer, PROMPTS, **settings)
    lines = record.read_bytes().splitlines(keepends=True)
    marked = json.loads(lines[0]) | {"text": "kept from before"}
    record.write_bytes(json.dumps(marked).encode() + b"\n" + lines[1] + lines[2][:15])
    again = complete_prompts(reader.model, reader.tokenizer, PROMPTS, **settings)
    assert [one.text for one in again] == ["kept from before", *(one.text for one in first[1:])]
    assert len(record.read_text().splitlines()) == 4
    complete_prompts(reader.model, reader.tokenizer, PROMPTS, **(settings | {"digest": "other"}))
    assert len(record.read_text().splitlines()) == 8


def test_a_whole_number_is_the_same_temperature(reader):
    one, other = (
        complete_prompts(reader.model, reader.tokenizer, PROMPTS[:1], replace(SAMPLING, temperature=temperature))
        for temperature in (1, 1.0)
    )
    assert [each.text for each in one] == [each.text for each in other]


def test_a_record_tells_tokenizers_apart(tmp_path):
    """The digest of a model says nothing of its tokenizer: another end ends the completions elsewhere."""
    record, tokenizer, model = tmp_path / "c.jsonl", byte_tokenizer(), tiny_llama()
    settings = {"sampling": Sampling(completions=1, max_tokens=10), "digest": "w", "record": record}
    for end, lines in (("<end>", 2), ("<end>", 2), ("<pad>", 4)):
        tokenizer.eos_token = end
        complete_prompts(model, tokenizer, PROMPTS, **settings)
        assert len(record.read_text().splitlines()) == lines


def test_a_record_that_could_not_tell_models_apart_is_refused(reader, tmp_path):
    with pytest.raises(UsageError, match="needs the digest"):
        complete_prompts(reader.model, reader.tokenizer, PROMPTS, record=tmp_path / "c.jsonl")


def test_a_completion_ends_with_the_context_and_a_prompt_that_fills_it_is_refused(reader):
    with pytest.raises(TooLongError, match="shorten it"):
        complete_prompts(reader.model, reader.tokenizer, [StoryPrompt(text="the cat " * 5000)])
    context = reader.model.context
    long = StoryPrompt(text="the cat " * (context // 2))
    while len(reader.tokenizer(long.text, add_special_tokens=False)["input_ids"]) > context - 10:
        long = StoryPrompt(text=long.text[:-40])
    (one,) = complete_prompts(reader.model, reader.tokenizer, [long], Sampling(completions=1, max_tokens=10_000))
    ids = reader.tokenizer(long.text, add_special_tokens=False)["input_ids"]
    assert one.tokens <= context - len(ids) - len(document_opening(reader.tokenizer))


@pytest.mark.parametrize("wrong", [{"completions": 0}, {"max_tokens": 0}, {"temperature": -1.0}])
def test_settings_that_are_none_are_refused(reader, wrong):
    with pytest.raises(UsageError):
        complete_prompts(reader.model, reader.tokenizer, PROMPTS, Sampling(**wrong))


def test_distinct_and_overlap_of_known_texts():
    same, parted = said("a b c d e", "a b c d e"), said("a b c d e", "f g h i j")
    assert distinct(same, 1).value == 0.5
    assert distinct(parted, 1).value == 1.0
    assert self_overlap(same).value == 1.0
    assert self_overlap(parted).value == 0.0
    assert self_overlap(said("a b c d x", "a b c d y")).value == 0.5
    assert self_overlap([*said("a b c d"), *said("a b c d", prompt=PROMPTS[1])]).value == 0.0


def test_distinct_is_of_equal_numbers_of_words():
    long = " ".join(f"w{place % 60}" for place in range(600))
    assert distinct(said(long), 1).value == 1.0


def test_the_longest_copied_run_is_found_and_stays_in_one_document():
    finder = CopyFinder(["The cat sat on the mat.", "Then the dog ran home again."])
    texts = [
        "the CAT sat on a mat",
        "on the mat then the dog",
        "nothing of it",
        "",
        "Then the dog ran home again, yes.",
    ]
    assert finder.longest_runs(texts) == [4, 3, 0, 0, 6]


def test_the_longest_copied_run_is_that_of_a_plain_search():
    corpus = [tell_story(1, index).text for index in range(40)]
    texts = [corpus[3][100:300], tell_story(2, 1).text, tell_story(2, 2).text[:120]]
    words = [[word.strip('.,!?"').lower() for word in text.split()] for text in corpus]
    runs = {tuple(of_one[i : i + n]) for of_one in words for n in range(1, 60) for i in range(len(of_one) - n + 1)}
    for text, found in zip(texts, CopyFinder(corpus).longest_runs(texts), strict=True):
        own = [word.strip('.,!?"').lower() for word in text.split()]
        plain = max(n for n in range(1, 60) for i in range(len(own) - n + 1) if tuple(own[i : i + n]) in runs)
        assert found == plain


def test_a_text_without_words_to_look_through_is_refused():
    with pytest.raises(DataError, match="holds no words"):
        CopyFinder(["...", "!"])


def test_words_are_found_in_any_form():
    assert held_words("She was running and swam with two dogs.", ["run", "swim", "dog", "cat"]) == (
        "run",
        "swim",
        "dog",
    )


def test_required_words_may_be_several_in_a_row():
    text = "The ice-cold cream was not ice. She ate two ice creams."
    assert held_words(text, ["ice cream", "Ice Creams", "cold ice"]) == ("ice cream", "Ice Creams")


def test_features_that_no_program_can_decide_are_not_counted():
    assert held_features('"Hi," said the unknown.', ["dialogue", "twist"]) == {"dialogue": True, "twist": None}
    story = tell_story(3, 0, frozenset({"twist"}))
    assert held_features(story.text, ["twist"]) == {"twist": True}
    asked = StoryPrompt(text="x", words=("ball", "red"), features=("dialogue", "twist"))
    words, features = measure_following(said("A ball.", '"Red ball!" he said. "Oh."', prompt=asked))
    assert (words.value, words.count) == (0.75, 2)
    assert (features.value, features.count) == (0.5, 2)
    assert "a program can decide 2 of 4" in features.note


def test_bits_per_byte_are_those_of_the_models_own_forward_pass(reader):
    text = "One day, a cat saw a big red ball."
    loaded = load_model("bundled:searches", dtype="float64")
    ids = [*document_opening(loaded.tokenizer), *loaded.tokenizer(text, add_special_tokens=False)["input_ids"]]
    with torch.no_grad():
        logits = loaded.model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    nats = float(logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].sum())
    found = held_out_bits(reader.model, reader.tokenizer, [text] * 6)
    assert found.value == pytest.approx(-nats / 0.6931471805599453 / len(text), rel=1e-4)
    assert found.low is None  # six equal texts do not show how the next one would differ


def test_documents_longer_than_the_context_cost_no_more_bits_than_their_parts(reader):
    story = " ".join(tell_story(4, index).text for index in range(12))
    whole = held_out_bits(reader.model, reader.tokenizer, [story]).value
    assert 0.5 < whole < 4.0
    with pytest.raises(DataError, match="no held-out text"):
        held_out_bits(reader.model, reader.tokenizer, [])


def test_questions_have_one_right_and_one_wrong_answer():
    questions = make_questions(30)
    assert questions == make_questions(30)
    assert all(one.right != one.wrong for one in questions)
    assert sum(one.wrong in one.text for one in questions) > len(questions) / 2
    assert {one.kind for one in questions} == {"who", "where", "what", "how", "why", "order"}
    with pytest.raises(UsageError):
        make_questions(0)
    with pytest.raises(UsageError, match="at most 10 characters"):
        make_questions(1, max_characters=10)


def test_a_model_that_does_not_use_the_story_is_at_chance(reader):
    questions = make_questions(4)
    # A story that says nothing gains no answer anything: right and wrong are changed about without any change.
    blank = [replace(one, text="Hello.", right=one.wrong, wrong=one.right) for one in questions]
    plain = [replace(one, text="Hello.") for one in questions]
    first = score_facts(reader.model, reader.tokenizer, plain)
    second = score_facts(reader.model, reader.tokenizer, blank)
    assert first.accuracy().value == pytest.approx(1 - second.accuracy().value)
    assert FactScores(questions=questions[:2], gains=(0.0, 1.0), left_out=0).accuracy().value == 0.75


def test_a_question_that_just_fits_into_the_context_is_asked(reader):
    """The last id of an answer is predicted and not read."""
    question = make_questions(1)[0]
    prompt = f"{question.text}\n\nQuestion: {question.question}\nAnswer:"
    ids = [encode_texts(reader.model, reader.tokenizer, [f"{prompt} {answer}"])[0].ids
           for answer in (question.right, question.wrong)]  # fmt: skip
    room = max(map(len, ids)) - 1
    model = load_model("bundled:searches").model
    model.config.max_position_embeddings = room
    assert score_facts(model, reader.tokenizer, [question]).left_out == 0
    model.config.max_position_embeddings = room - 1
    with pytest.raises(DataError, match="none of 1 questions fits"):
        score_facts(model, reader.tokenizer, [question])


def test_a_model_that_copies_from_the_story_prefers_the_answer_that_stands_there():
    questions = [replace(one, right="under the table", wrong="in the sand") for one in make_questions(3)]
    told = [replace(one, text="under the table " * 6) for one in questions]
    reader = load_for_scoring("bundled:searches")
    assert score_facts(reader.model, reader.tokenizer, told).accuracy().value == 1.0


def test_our_prompts_are_thirty_and_say_what_they_ask():
    prompts = default_prompts()
    assert len({prompt.key for prompt in prompts}) == 30
    asked = [prompt for prompt in prompts if prompt.words]
    assert len(asked) == 10
    assert all(word in prompt.text for prompt in asked for word in prompt.words)


def test_prompts_are_read_from_text_and_rows(tmp_path):
    (tmp_path / "p.txt").write_text("One day,\na cat\n\n\nTom had\n\nTom had\n", encoding="utf-8")
    assert [prompt.text for prompt in read_story_prompts(tmp_path / "p.txt")] == ["One day,\na cat", "Tom had"]
    row = {"prompt": "Words: ball\nStory:\n\n", "words": ["ball"], "features": ["dialogue"]}
    (tmp_path / "p.jsonl").write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    assert read_story_prompts(tmp_path / "p.jsonl") == (
        StoryPrompt(text=row["prompt"], words=("ball",), features=("dialogue",)),
    )


@pytest.mark.parametrize(
    ("name", "text", "error", "said"),
    [
        ("p.txt", " \n\n ", DataError, "holds no prompt"),
        ("p.jsonl", "", DataError, "holds no prompt"),
        ("p.jsonl", "{", DataError, "p.jsonl:1: broken JSON"),
        ("p.jsonl", "[" * 100_000, DataError, "p.jsonl:1: JSON nested too deeply"),
        ("p.jsonl", '{"prompt": " "}', DataError, "p.jsonl:1 is no prompt"),
        ("p.jsonl", '{"prompt": "a", "words": "ball"}', DataError, "expected a list of texts"),
        ("p.jsonl", '{"prompt": "a", "features": ["jokes"]}', UnknownNameError, "jokes"),
    ],
)
def test_prompts_that_are_none_are_refused(tmp_path, name, text, error, said):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=said):
        read_story_prompts(tmp_path / name)


def test_beginnings_are_whole_sentences_that_something_follows(tmp_path):
    short, long = "Too short.", "One day there was a cat. It lived in a big house by the sea with Tom. It was glad."
    (tmp_path / "d.txt").write_text(f"{short}<|endoftext|>{long}<|endoftext|>", encoding="utf-8")
    (found,) = read_beginnings(tmp_path / "d.txt", 5)
    assert found.text == "One day there was a cat. It lived in a big house by the sea with Tom."
    (tmp_path / "s.txt").write_text(short, encoding="utf-8")
    with pytest.raises(DataError, match="holds no prompt"):
        read_beginnings(tmp_path / "s.txt", 5)


def test_an_interval_is_over_clusters():
    alike = clustered_mean("x", [0.0] * 48 + [1.0] * 48, [place // 16 for place in range(96)])
    apart = clustered_mean("x", [0.0, 1.0] * 50, range(100))
    assert alike.value == apart.value == 0.5
    assert alike.low < 0.2 < 0.8 < alike.high
    assert 0.35 < apart.low < apart.high < 0.65
    assert clustered_mean("r", [1.0, 3.0], [0, 1], weights=[2.0, 2.0]).value == 1.0


@pytest.mark.parametrize("clusters", [1, 5])
def test_few_clusters_have_no_interval(clusters):
    found = clustered_mean("bits per byte", [1.5 + place for place in range(clusters)], range(clusters))
    assert (found.low, found.high, found.interval) == (None, None, None)


@pytest.mark.parametrize(("hit", "ends"), [(0.0, (0.0, 0.4899)), (1.0, (0.5101, 1.0))])
def test_a_share_of_all_or_none_has_an_interval_with_a_width(hit, ends):
    # Wilson's of 0 and 4 in 4, whatever the clusters' size.
    found = clustered_mean("x", [hit] * 8, [0, 0, 0, 1, 1, 2, 3, 3], share=True)
    assert (found.low, found.high) == pytest.approx(ends, abs=1e-4)
    assert found.value == hit


def test_a_judge_that_leaves_completions_out_is_refused(reader):
    with pytest.raises(UsageError, match="gave 1 judgements of 4 submissions"):
        rate_model(reader, Material(prompts=PROMPTS), sampling=replace(SAMPLING, max_tokens=3), judge=lambda _: [None])


def test_a_recurrent_model_is_rated_as_well(reader):
    vocabulary = len(reader.tokenizer.get_vocab())
    model = tiny_model("Mamba", vocab_size=vocabulary)
    material = Material(prompts=PROMPTS, held_out=("A cat sat.",), questions=make_questions(1)[:1])
    rating = rate_model(replace(reader, model=model), material, sampling=Sampling(completions=2, max_tokens=5))
    assert [one.name for one in rating.measures] == [
        "distinct-1", "distinct-3", "self-overlap", "plot facts", f"plot facts: {material.questions[0].kind}",
        "bits per byte",
    ]  # fmt: skip
    assert len(rating.completions) == 4


def test_a_single_completion_of_each_prompt_shares_nothing_that_could_be_measured(reader):
    rating = rate_model(reader, Material(prompts=PROMPTS), sampling=Sampling(completions=1, max_tokens=3))
    assert [one.name for one in rating.measures] == ["distinct-1", "distinct-3"]
    assert "too few or too alike for an interval" in str(rating)


def test_marks_are_averaged_over_those_that_were_given(reader):
    def judge(submissions):
        assert submissions[0].instruction == "Go on with a story that begins so: One day, a cat"
        assert submissions[0].story.startswith("One day, a cat")
        one = Judgement(grammar=4, creativity=5, consistency=6, instruction=7, age="C")
        return [None, one, replace(one, grammar=8), one]

    rating = rate_model(
        reader,
        Material(prompts=PROMPTS),
        sampling=Sampling(completions=2, max_tokens=5),
        judge=judge,
    )
    found = {one.name: one for one in rating.measures}
    assert found["judge: grammar"].value == pytest.approx(16 / 3)
    assert found["judge: age group"].value == 3.0
    assert "1 of 4 completions without a usable answer" in found["judge: grammar"].note


def test_a_rating_prints_its_measures_and_gives_a_row_for_each(reader):
    rating = rate_model(reader, Material(held_out=("A cat sat.", "A dog ran.")))
    frame = rating.to_frame()
    assert list(frame["name"]) == [one.name for one in rating.measures] == ["bits per byte"]
    head, line = str(rating).splitlines()
    assert head.startswith("bundled:searches  (")
    assert line.split()[:3] == ["bits", "per", "byte"]
    assert f"{rating.measures[0].value:.4f}" in line


def test_a_model_is_ahead_only_where_its_interval_is_apart_from_those_of_all_others():
    def rating(model, value, low, high):
        one = StoryMeasure(
            name="distinct", value=value, low=low, high=high, count=9, clusters=3, better="more", note="words"
        )
        return StoryRating(
            model=model, digest="0", parameters=1, measures=(one,), pairs={}, completions=(), judgements=()
        )

    sure = [rating("first", 0.9, 0.8, 0.95), rating("second", 0.6, 0.5, 0.7)]
    assert "first is clearly ahead on 1 of 1 measures" in rating_page(sure, settings={})
    # The third is worse than the second, but so uncertain that it may be the best.
    assert "No model is clearly ahead" in rating_page([*sure, rating("third", 0.5, 0.1, 0.9)], settings={})
