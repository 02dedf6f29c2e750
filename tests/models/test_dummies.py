from __future__ import annotations

import copy
import math

import pytest
import torch
from transformers import DynamicCache

from shoal.errors import UnknownNameError, UsageError
from shoal.models import model_digest
from shoal.models.dummies import dummy_names, ground_truth, make_dummy, set_answers, tiny_tokenizer
from shoal.text.encoding import encode_pairs

PAIRS = [
    ("add 111:", " 1 11 111", True),
    ("a bed:", " ab cage é", True),
    ("egg 1:", " A B ab", False),
    ("gab:", "", True),
    ("fed:", " 1 1 1 1", True),
    ("h:", " a face", True),
    ("cab:", " A Bad.", False),
]


def truths(model, tokenizer, pairs=PAIRS):
    items = encode_pairs(tokenizer, pairs)
    return [ground_truth(model.context_tree, item.prompt, item.target, tokenizer.eos_token_id) for item in items]


@torch.no_grad()
def logits_of(model, item):
    return model(torch.tensor([item.ids])).logits[0, item.boundary - 1 : -1].double()


@pytest.mark.parametrize("name", dummy_names())
def test_what_is_read_off_the_script_is_what_the_model_does(name):
    model, tokenizer = make_dummy(name, pairs=PAIRS, seed=1)
    for item, truth in zip(encode_pairs(tokenizer, PAIRS), truths(model, tokenizer), strict=True):
        rows = logits_of(model, item)
        likelihood = sum(float(row.log_softmax(-1)[token]) for row, token in zip(rows, item.target, strict=True))
        assert likelihood == pytest.approx(truth.log_likelihood, abs=1e-4, nan_ok=True)
        hits = [
            not row.isnan().any() and int(row.argmax()) == token for row, token in zip(rows, item.target, strict=True)
        ]
        assert (all(hits), sum(hits) / len(hits)) == (truth.exact_match, truth.token_accuracy)
        ids = torch.tensor([item.prompt])
        said = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=len(item.target), do_sample=False
        )
        assert tuple(said[0, ids.shape[1] :].tolist()) == truth.greedy


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_that_is_masked_changes_nothing(side):
    tokenizer = tiny_tokenizer(padding_side=side)
    model, _ = make_dummy("positions", pairs=PAIRS, tokenizer=tokenizer, p=0.5)
    items = encode_pairs(tokenizer, PAIRS)
    batch = tokenizer.pad({"input_ids": [list(item.ids) for item in items]}, return_tensors="pt")
    positions = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)
    together = model(**batch, position_ids=positions).logits
    for row, item in enumerate(items):
        alone = model(torch.tensor([item.ids])).logits[0]
        assert torch.equal(together[row][batch["attention_mask"][row].bool()], alone)


def test_padding_that_is_seen_on_the_left_changes_the_answer():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS)
    item = encode_pairs(tokenizer, PAIRS)[0]
    padded = torch.tensor([[tokenizer.pad_token_id, *item.ids]])
    assert not torch.equal(model(padded).logits[:, 1:], model(torch.tensor([item.ids])).logits)


def test_absolute_positions_that_do_not_start_at_zero_change_the_answer_of_one_dummy_only():
    for name, same in (("oracle", True), ("positions", False)):
        model, tokenizer = make_dummy(name, pairs=PAIRS)
        ids = torch.tensor([encode_pairs(tokenizer, PAIRS)[0].ids])
        later = torch.arange(ids.shape[1])[None] + 3
        assert torch.equal(model(ids, position_ids=later).logits, model(ids).logits) == same


def test_a_gap_in_the_positions_is_not_read_over():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS)
    ids = torch.tensor([encode_pairs(tokenizer, PAIRS)[0].ids])
    gap = torch.arange(ids.shape[1])[None] + (torch.arange(ids.shape[1]) >= 4)
    mask = torch.ones_like(ids)
    assert not torch.equal(
        model(ids, position_ids=gap, attention_mask=mask).logits[:, 4:], model(ids, attention_mask=mask).logits[:, 4:]
    )


def test_a_cache_that_is_filled_in_pieces_gives_the_same_logits():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS, p=0.5)
    ids = torch.tensor([encode_pairs(tokenizer, PAIRS)[1].ids])
    cache = DynamicCache(config=model.config)
    pieces = [model(part, past_key_values=cache, use_cache=True).logits for part in ids.split(3, dim=1)]
    assert torch.equal(torch.cat(pieces, dim=1), model(ids).logits)


def test_items_packed_into_one_row_do_not_see_each_other():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS, p=0.5)
    one, other = encode_pairs(tokenizer, PAIRS[:2])
    positions = torch.tensor([[*range(len(one.ids)), *range(len(other.ids))]])
    packed = model(torch.tensor([one.ids + other.ids]), position_ids=positions, use_cache=False).logits[0]
    apart = [model(torch.tensor([item.ids])).logits[0] for item in (one, other)]
    assert torch.equal(packed, torch.cat(apart))


def test_exactly_k_items_are_right_for_every_k():
    for k in range(len(PAIRS) + 1):
        model, tokenizer = make_dummy("exactly", pairs=PAIRS, k=k)
        assert sum(truth.exact_match for truth in truths(model, tokenizer)) == k


def test_an_oracle_is_right_in_about_its_share_of_many_items():
    pairs = [(f"{a}{b}{c}:", f" {a}1", True) for a in "abcdefgh" for b in "abcdefgh" for c in "abcdefgh"]
    model, tokenizer = make_dummy("oracle", pairs=pairs, p=0.3, seed=5)
    # 512 items: the standard error of the share is 0.02.
    assert abs(sum(truth.exact_match for truth in truths(model, tokenizer, pairs)) / 512 - 0.3) < 0.1


def test_a_slip_stands_where_it_was_asked_for():
    lengths = [len(item.target) for item in encode_pairs(tiny_tokenizer(), PAIRS)]
    for at in (0, 2, -1):
        model, tokenizer = make_dummy("one-off", pairs=PAIRS, at=str(at))
        expected = [max(length + at, 0) if at < 0 else min(at, length - 1) for length in lengths]
        assert [truth.first_divergence for truth in truths(model, tokenizer)] == expected
        assert all(truth.token_accuracy == 1 - 1 / truth.tokens for truth in truths(model, tokenizer))


def test_a_dummy_that_never_ends_goes_on_where_the_end_is_due():
    model, tokenizer = make_dummy("never-ends", pairs=PAIRS)
    for truth, (_, _, ends) in zip(truths(model, tokenizer), PAIRS, strict=True):
        assert (truth.divergence, truth.exact_match, truth.greedy_ends) == (
            ("went-on", False, False) if ends else (None, True, False)
        )


def test_a_dummy_that_ends_early_ends_early():
    model, tokenizer = make_dummy("ends-early", pairs=PAIRS[:3])
    assert [truth.divergence for truth in truths(model, tokenizer, PAIRS[:3])] == ["ended-early"] * 3


def test_the_perplexity_of_the_uniform_dummy_is_the_size_of_the_vocabulary():
    model, tokenizer = make_dummy("uniform", pairs=PAIRS)
    found = truths(model, tokenizer)
    perplexity = math.exp(-sum(truth.log_likelihood for truth in found) / sum(truth.tokens for truth in found))
    assert math.isclose(perplexity, model.config.vocab_size)


def test_another_spelling_gives_the_same_text():
    model, tokenizer = make_dummy("respelled", pairs=PAIRS[:1])
    [truth], [item] = truths(model, tokenizer, PAIRS[:1]), encode_pairs(tokenizer, PAIRS[:1])
    assert tokenizer.decode(truth.greedy) == tokenizer.decode(item.target)
    assert truth.greedy != item.target


def test_twins_tie_with_every_token_and_the_first_wins():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS, twins=5)
    item = encode_pairs(tokenizer, PAIRS)[0]
    rows = logits_of(model, item)
    assert rows.shape[1] == 5 * model.context_tree.tokens
    assert tuple(rows.argmax(-1).tolist()) == item.target
    assert torch.equal(rows[:, : model.context_tree.tokens], rows[:, -model.context_tree.tokens :])


def test_a_large_vocabulary_needs_no_large_body():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: place for place, word in enumerate(["<end>", "?", *(f"w{number}" for number in range(20_000))])}
    raw = Tokenizer(models.WordLevel(words, unk_token="?"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>")
    pairs = [("w7 w19999", " w4 w5", True), ("w8", " w0", True)]
    model, _ = make_dummy("oracle", pairs=pairs, tokenizer=tokenizer)
    assert model.config.hidden_size < 20
    for item in encode_pairs(tokenizer, pairs):
        assert tuple(logits_of(model, item).argmax(-1).tolist()) == item.target


def test_a_dummy_knows_nothing_until_it_is_taught_and_forgets_what_it_knew():
    model, tokenizer = make_dummy("oracle", p="1.0")
    items = encode_pairs(tokenizer, PAIRS[:2])
    right = []
    for lesson in ([], PAIRS[:1], PAIRS[1:2]):
        set_answers(model, tokenizer, lesson)
        right.append([tuple(logits_of(model, item).argmax(-1).tolist()) == item.target for item in items])
    assert right == [[False, False], [True, False], [False, True]]


def test_the_digest_tells_dummies_apart_that_differ_in_behaviour_only():
    digests = {
        model_digest(make_dummy(name, pairs=PAIRS, seed=seed, p=0.5)[0])
        for name, seed in (("oracle", 0), ("oracle", 1), ("positions", 2))
    }
    again = model_digest(make_dummy("oracle", pairs=PAIRS, seed=1, p=0.5)[0])
    assert len(digests) == 3
    assert again in digests


def test_a_dummy_can_be_copied_and_widened():
    model, tokenizer = make_dummy("narrow", pairs=PAIRS)
    item = encode_pairs(tokenizer, PAIRS)[0]
    wide = copy.deepcopy(model).double()
    assert torch.equal(logits_of(wide, item), logits_of(model, item))


def test_a_dummy_in_training_mode_knows_nothing():
    model, tokenizer = make_dummy("oracle", pairs=PAIRS)
    item = encode_pairs(tokenizer, PAIRS)[0]
    known = logits_of(model, item)
    assert not torch.equal(logits_of(model.train(), item), known)


def test_each_call_of_the_stateful_dummy_moves_all_logits_of_a_row_alike():
    model, tokenizer = make_dummy("stateful", pairs=PAIRS)
    item = encode_pairs(tokenizer, PAIRS)[0]
    moved = logits_of(model, item) - logits_of(model, item)
    assert bool((moved != 0).all())
    assert torch.equal(moved, moved[:, :1].expand_as(moved))


def test_wrong_names_and_values_are_named():
    with pytest.raises(UnknownNameError, match="unknown dummy 'oracel'; did you mean 'oracle'"):
        make_dummy("oracel")
    with pytest.raises(UnknownNameError, match="unknown parameter of the dummy oracle 'q'"):
        make_dummy("oracle", q=1)
    with pytest.raises(UsageError, match=r"the dummy oracle was given p='half'; give a number \(float\)"):
        make_dummy("oracle", p="half")
    with pytest.raises(UsageError, match="give a probability between 0 and 1"):
        make_dummy("oracle", p=1.5)
    with pytest.raises(UsageError, match="k=9 of 7 items"):
        make_dummy("exactly", k=9, pairs=PAIRS)
    with pytest.raises(UsageError, match="at='first'"):
        make_dummy("one-off", at="first", pairs=PAIRS)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("one-off", {"under_own": "yes"}, "the dummy one-off was given under_own='yes'; give true or false"),
        ("inserted", {"first": "1"}, "the dummy inserted was given first='1'; give true or false"),
        ("exactly", {"k": 2.5}, r"the dummy exactly was given k=2\.5; give a number \(int\)"),
        ("exactly", {"k": "2.5"}, r"the dummy exactly was given k='2\.5'; give a number \(int\)"),
    ],
)
def test_a_parameter_that_would_be_read_as_another_is_refused(name, parameters, message):
    with pytest.raises(UsageError, match=message):
        make_dummy(name, **parameters)


def test_true_and_false_are_read_in_any_case():
    for text, value in (("True", True), ("false", False), (True, True), (False, False)):
        assert make_dummy("one-off", under_own=text)[0].dummy.under_own is value
