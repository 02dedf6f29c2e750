"""All views of one text: what they hold, what is missing and why, and that nothing is lost on the way to JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from planted import TOKENS, attention_model

from architectures import letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, ModelError, TooLongError, UsageError
from shoal.insight import AnalysisOptions, Inspection, TextQuery, check_text, direct_attribution, inspect_text

TOKENIZER = letter_tokenizer(TOKENS)
IDS = [*range(1, 16), 4]
"""A text whose last token stood before, so that the induction head predicts what followed it: token 5."""

TEXT = letters(IDS)
QUICK = AnalysisOptions(alpha=0.5)
"""For what does not hang on head types: a level that few shuffled models can judge."""

CORPUS = [
    letters(torch.randint(1, TOKENS, (30,), generator=torch.Generator().manual_seed(k)).tolist()) for k in range(10)
]


@pytest.fixture(scope="module")
def found() -> Inspection:
    return inspect_text(attention_model(), TOKENIZER, TEXT, name="planted", corpus=CORPUS)


def test_every_view_of_a_planted_model_shows_what_was_planted(found: Inspection) -> None:
    assert found.missing == {}
    assert found.roles is not None
    assert {(head.block, head.head): head.roles[0] for head in found.roles.typed} == {
        (0, 0): "previous token",
        (1, 0): "induction",
    }
    pattern = next(each for each in found.patterns if (each.block, each.head) == (1, 0))
    assert pattern.keys_LT[-1, 0] == 4  # the token after the first occurrence of the last one
    assert pattern.note == "induction"
    assert found.lens[-1].top_ids[-1][0] == 5
    assert found.lens[1].top_ids[-1][0] != 5  # before the induction head nothing knows
    assert found.attribution is not None
    assert found.attribution.target == 5
    assert found.attribution.strongest(1)[0][0] == "block 1 head 0"


def test_views_belong_together(found: Inspection) -> None:
    assert len(found.tokens) == len(found.surprisal) == len(found.reading.pieces) == len(IDS)
    assert [each.layer for each in found.stream] == [each.layer for each in found.lens]
    assert found.surprisal[0] is None
    last = found.lens[-1].next_p[-2]
    assert found.surprisal[-1] == pytest.approx(-math.log2(last), abs=1e-3)
    shown = {id_ for each in found.lens for ids in each.top_ids for id_ in ids}
    assert shown <= found.names.keys()
    assert found.names[5] == letters([5])


def test_nothing_is_lost_on_the_way_through_json_but_neurons(found: Inspection) -> None:
    record = json.loads(json.dumps(found.to_dict()))
    back = Inspection.from_dict(record)
    assert back.neurons is None
    assert set(back.missing) == {"neurons"}
    assert repr(back.reading) == repr(found.reading)
    assert (back.roles, back.stream, back.lens, back.attribution) == (
        found.roles,
        found.stream,
        found.lens,
        found.attribution,
    )
    assert (back.tokens, back.surprisal, back.names) == (found.tokens, found.surprisal, found.names)
    for one, other in zip(back.patterns, found.patterns, strict=True):
        np.testing.assert_array_equal(one.keys_LT, other.keys_LT)
        np.testing.assert_allclose(one.weights_LT, other.weights_LT)
    again = back.to_dict()
    assert json.loads(json.dumps(again | {"neurons": 0, "missing": 0})) == record | {"neurons": 0, "missing": 0}


def test_an_inspection_is_printed_view_by_view(found: Inspection) -> None:
    text = str(found)
    assert text.startswith("planted: 16 tokens, ")
    for line in (
        "2 of 4 heads have a type",
        "  block 1 head 0  induction 0.9",
        f"  block 1    predicts {letters([5])!r}",
        f"logit of {letters([5])!r} minus ",
        "neurons are selective; the most selective",
    ):
        assert line in text


def test_without_a_corpus_there_are_no_neurons_and_the_reason_is_given() -> None:
    found = inspect_text(attention_model(), TOKENIZER, TEXT, options=QUICK)
    assert found.neurons is None
    assert "no corpus was given" in found.missing["neurons"]
    assert "no neurons: no corpus was given" in str(found)


def test_a_recurrent_model_has_the_views_that_it_can_have() -> None:
    tokenizer = letter_tokenizer()
    found = inspect_text(tiny_model("Mamba"), tokenizer, letters([3, 4, 5, 3]), corpus=[letters([3, 4, 5])] * 4)
    assert set(found.missing) == {"roles", "attention", "attribution", "neurons"}
    assert all("Mamba" in reason for reason in found.missing.values())
    assert len(found.lens) == len(found.stream) == 3
    assert json.loads(json.dumps(found.to_dict()))["missing"] == found.missing


@pytest.mark.parametrize("position", [-1, 0, 5, 15])
def test_target_and_foil_are_the_two_best_at_the_position_unless_they_are_given(position: int) -> None:
    model = tiny_model("GPT2")
    ids = torch.tensor(IDS)
    with torch.no_grad():
        first, second = model(ids[None]).logits[0, position].topk(2).indices.tolist()

    def pair(**given: str) -> tuple[int, int | None]:
        query = TextQuery(text=TEXT, position=position, **given)
        found = inspect_text(model, letter_tokenizer(), query, options=QUICK).attribution
        assert found is not None
        assert found.position == position % len(IDS)
        return found.target, found.foil

    assert pair() == (first, second)
    assert pair(target=letters([second])) == (second, first)
    other = next(id_ for id_ in range(1, 50) if id_ not in {first, second})
    assert pair(foil=letters([other])) == (first, other)
    assert pair(target=letters([other])) == (other, first)


def test_the_attribution_of_an_inspection_is_that_of_its_own() -> None:
    model = tiny_model("Llama")
    query = TextQuery(text=TEXT, target=letters([7]), foil=letters([9]), position=6)
    found = inspect_text(model, letter_tokenizer(), query, options=QUICK).attribution
    assert found == direct_attribution(model, torch.tensor(IDS), target=7, foil=9, position=6)


def test_an_attribution_is_printed_and_tabulated_by_strength() -> None:
    found = direct_attribution(tiny_model("GPT2"), torch.tensor(IDS), target=7)
    frame = found.to_frame()
    assert list(frame["contribution"].abs()) == sorted(frame["contribution"].abs(), reverse=True)
    assert frame["contribution"].sum() == pytest.approx(found.total, abs=1e-3)
    assert str(found).splitlines()[0] == f"token 7 against the mean: {found.total:+.3f} in logits, of which"
    assert found.strongest(1)[0][0] in str(found).splitlines()[1]


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        (TextQuery(text=""), DataError, "the text is empty"),
        (TextQuery(text=letters([1] * 97)), TooLongError, "reads at most 96"),
        (TextQuery(text=letters([1, 2]), position=2), UsageError, "outside of the text's 2 tokens"),
        (TextQuery(text=letters([1, 2]), position=-3), UsageError, "outside of the text's 2 tokens"),
        (TextQuery(text=letters([1, 2]), target=letters([3, 4])), UsageError, "is not one token"),
        (TextQuery(text=letters([1, 2]), foil=""), UsageError, "but nothing"),
    ],
)
def test_a_query_that_cannot_be_is_refused_before_anything_is_computed(query, error, said) -> None:
    for call in (check_text, inspect_text):
        with pytest.raises(error, match=said):
            call(tiny_model("GPT2"), letter_tokenizer(), query)


def test_a_tokenizer_of_another_model_is_refused() -> None:
    with pytest.raises(DataError, match="use its own tokenizer"):
        inspect_text(tiny_model("GPT2", vocab_size=50), letter_tokenizer(), letters([1, 60]))


def test_a_broken_model_is_refused() -> None:
    model = tiny_model("GPT2")
    with torch.no_grad():
        model.transformer.ln_f.weight.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite on this text"):
        inspect_text(model, letter_tokenizer(), TEXT)


def test_head_types_are_a_table_of_every_head_and_type(found: Inspection) -> None:
    assert found.roles is not None
    frame = found.roles.to_frame()
    assert len(frame) == 4 * 5
    named = frame[frame.has_type]
    assert set(zip(named.block, named["head"], named.type, strict=True)) == {
        (0, 0, "previous token"),
        (1, 0, "induction"),
    }
    assert ((frame.p_value > 0) & (frame.p_value <= 1)).all()
    assert found.roles.typed[0].best_score("previous token") >= frame.score.iloc[0]


def test_neurons_are_a_table_without_their_examples(found: Inspection) -> None:
    assert found.neurons is not None
    frame = found.neurons.to_frame()
    assert len(frame) == len(found.neurons.neurons)
    assert "examples" not in frame
    assert list(frame.separation) == [each.separation for each in found.neurons.neurons]
    assert str(found.neurons).splitlines()[1].startswith(f"  {found.neurons.neurons[0].name}  ")
