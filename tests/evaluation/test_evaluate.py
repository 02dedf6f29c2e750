from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings, strategies as st

from architectures import SETTINGS, letter_tokenizer, letters, tiny_model
from shoal.errors import DataError, TooLongError
from shoal.evaluation import evaluate, evaluate_by_generation
from shoal.tasks import Example

COMPARED = ("exact_match", "string_match", "first_divergence", "divergence", "greedy_text", "greedy_ends", "tokens")
TOKENIZER = letter_tokenizer()


def greedy_ids(model, prompt: list[int], count: int) -> list[int]:
    """What the model says, by the plainest loop there is."""
    ids = list(prompt)
    with torch.inference_mode():
        for _ in range(count):
            ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
    return ids[len(prompt) :]


def mixed_examples(model, count: int, seed: int = 0) -> list[Example]:
    """Prompts with what the model says to them, every other one changed in one place, cut or ended elsewhere."""
    chance = random.Random(seed)
    examples = []
    for place in range(count):
        prompt = [chance.randrange(1, 300) for _ in range(chance.randint(1, 30))]
        target = greedy_ids(model, prompt, chance.randint(1, 25))
        said = target[: target.index(0)] if 0 in target else target
        ends = 0 in target
        if place % 2:
            change = chance.randrange(4)
            if change == 0 or not said:
                ends = not ends or not said
            elif change == 1:
                said = said[: chance.randint(1, len(said))]
                ends = True
            else:
                said = [*said]
                said[chance.randrange(len(said))] = chance.randrange(1, 300)
        if not said:
            ends = True
        examples.append(Example(prompt=letters(prompt), completion=letters(said), ends=ends))
    return examples


def assert_same_verdicts(ours, theirs, fields=COMPARED):
    for one, other in zip(ours.items, theirs.items, strict=True):
        for field in fields:
            assert getattr(one, field) == getattr(other, field), (field, one, other)


@pytest.fixture(scope="module")
def neo():
    return tiny_model("GPTNeo")


@pytest.fixture(scope="module")
def neo_examples(neo):
    return mixed_examples(neo, 24)


@pytest.fixture(scope="module")
def neo_scores(neo, neo_examples):
    return evaluate(neo, TOKENIZER, neo_examples)


@pytest.mark.parametrize("architecture", sorted(SETTINGS))
def test_verdicts_equal_those_of_generate(architecture):
    model = tiny_model(architecture, seed=3)
    examples = mixed_examples(model, 12, seed=3)

    ours, theirs = evaluate(model, TOKENIZER, examples), evaluate_by_generation(model, TOKENIZER, examples)

    assert 0.2 < theirs.accuracy < 0.8
    assert_same_verdicts(ours, theirs)
    for one, other in zip(ours.items, theirs.items, strict=True):
        assert one.margin == pytest.approx(other.margin, abs=1e-4)


def test_early_exit_gives_the_same_verdicts_and_leaves_out_what_it_cannot_know(neo, neo_examples, neo_scores):
    early = evaluate(neo, TOKENIZER, neo_examples, early_exit=True)

    assert_same_verdicts(early, neo_scores)
    for item, whole in zip(early.items, neo_scores.items, strict=True):
        if item.exact_match:
            assert item.log_likelihood == pytest.approx(whole.log_likelihood, rel=1e-5)
        else:
            assert item.log_likelihood is item.token_accuracy is item.bits_per_byte is None
            assert len(item.token_margins) == item.first_divergence + 1
            assert item.token_margins[-1] < 0


@settings(max_examples=12, deadline=None)
@given(order=st.permutations(range(24)), token_budget=st.integers(1, 600), early_exit=st.booleans())
def test_numbers_depend_neither_on_order_nor_on_batches(neo, neo_examples, neo_scores, order, token_budget, early_exit):
    shuffled = evaluate(
        neo,
        TOKENIZER,
        [neo_examples[place] for place in order],
        token_budget=token_budget,
        early_exit=early_exit,
        greedy_text=False,
    )

    for item, place in zip(shuffled.items, order, strict=True):
        expected = neo_scores.items[place]
        assert (item.exact_match, item.first_divergence, item.divergence, item.status) == (
            expected.exact_match,
            expected.first_divergence,
            expected.divergence,
            expected.status,
        )
        assert item.margin == pytest.approx(expected.margin, rel=1e-5, abs=1e-5)
        if item.log_likelihood is not None:
            assert item.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-5)
            assert item.token_margins == pytest.approx(expected.token_margins, rel=1e-5, abs=1e-5)
            assert item.token_accuracy == expected.token_accuracy


def test_numbers_are_those_of_the_full_logits(neo, neo_examples, neo_scores):
    for example, item in zip(neo_examples, neo_scores.items, strict=True):
        prompt = TOKENIZER(example.prompt)["input_ids"]
        target = TOKENIZER(example.completion)["input_ids"] + [0] * example.ends
        with torch.inference_mode():
            logits = neo(input_ids=torch.tensor([prompt + target])).logits[0, len(prompt) - 1 : -1].double()
        wanted = torch.tensor(target)[:, None]
        own = logits.gather(1, wanted)
        others = logits.scatter(1, wanted, -torch.inf).amax(1, keepdim=True)
        assert item.log_likelihood == pytest.approx(float((own - logits.logsumexp(1, keepdim=True)).sum()), rel=1e-5)
        assert item.token_margins == pytest.approx((own - others)[:, 0].tolist(), abs=1e-4)
        assert item.token_accuracy == pytest.approx(float((logits.argmax(1, keepdim=True) == wanted).double().mean()))
        size = len(example.completion.encode()) + example.ends
        assert item.bits_per_byte == pytest.approx(-item.log_likelihood / math.log(2) / size)


def test_a_vocabulary_of_many_blocks_gives_the_same_numbers():
    model = tiny_model("Llama", vocab_size=1400)
    tokenizer = letter_tokenizer(1400)
    examples = mixed_examples(model, 10)

    scores = evaluate(model, tokenizer, examples)

    assert_same_verdicts(scores, evaluate_by_generation(model, tokenizer, examples))
    for item in scores.items:
        assert item.log_likelihood < 0


def test_full_logits_and_factored_path_agree(neo, neo_examples, neo_scores):
    whole = tiny_model("GPTNeo")
    whole.register_forward_hook(lambda module, inputs, output: output)

    scores = evaluate(whole, TOKENIZER, neo_examples)

    assert (neo_scores.settings["path"], scores.settings["path"]) == ("factored", "full logits")
    assert_same_verdicts(scores, neo_scores)
    for one, other in zip(scores.items, neo_scores.items, strict=True):
        assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-5)


def test_no_examples_give_no_items(neo):
    assert evaluate(neo, TOKENIZER, []).items == ()


def test_the_smallest_example_and_its_double_score_alike(neo):
    token = greedy_ids(neo, [5], 1)
    example = Example(prompt=letters([5]), completion=letters(token), ends=False)

    scores = evaluate(neo, TOKENIZER, [example, example], token_budget=1)

    assert [item.exact_match for item in scores.items] == [True, True]
    assert scores.items[0].log_likelihood == scores.items[1].log_likelihood
    assert scores.items[0].greedy_ends is False


def test_an_example_beyond_the_context_is_named(neo):
    fits = Example(prompt=letters([1] * 90), completion=letters([2] * 6), ends=True)
    too_long = Example(prompt=letters([1] * 90), completion=letters([2] * 7), ends=True)

    assert evaluate(neo, TOKENIZER, [fits], greedy_text=False).items[0].tokens == 7
    with pytest.raises(TooLongError, match=r"example 1 .* takes 98 tokens, its prompt 90, .* at most 96"):
        evaluate(neo, TOKENIZER, [fits, too_long])


def test_a_tokenizer_of_another_model_is_refused(neo):
    example = Example(prompt=letters([5]), completion=letters([350]))

    with pytest.raises(DataError, match="token id 350, and the model knows 300 tokens"):
        evaluate(neo, letter_tokenizer(400), [example])


def test_the_model_is_left_as_it_was():
    model = tiny_model("GPTNeo")
    model.train()
    model.transformer.h[0].eval()
    before = {name: module.training for name, module in model.named_modules()}
    settings_before = model.generation_config.to_dict()
    example = Example(prompt=letters([5, 6]), completion=letters([7]))

    evaluate(model, TOKENIZER, [example])
    evaluate_by_generation(model, TOKENIZER, [example])

    assert {name: module.training for name, module in model.named_modules()} == before
    assert model.generation_config.to_dict() == settings_before
    assert all(weight.grad is None and weight.requires_grad for weight in model.parameters())


def test_dropout_is_off_while_scoring():
    model = tiny_model("GPT2")
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.5
    examples = mixed_examples(model.eval(), 6)
    calm = evaluate(model, TOKENIZER, examples)

    assert evaluate(model.train(), TOKENIZER, examples) == calm


def test_the_reference_heeds_no_settings_of_the_model(neo, neo_examples, neo_scores):
    model = tiny_model("GPTNeo")
    model.generation_config.update(do_sample=True, temperature=3.0, repetition_penalty=1.8, min_new_tokens=9)

    assert_same_verdicts(evaluate_by_generation(model, TOKENIZER, neo_examples), neo_scores)


def test_the_greedy_text_is_as_long_as_the_target_at_most():
    model = tiny_model("Llama")
    example = Example(prompt=letters([5, 6]), completion=letters([7, 8, 9]), ends=True)

    (item,) = evaluate(model, TOKENIZER, [example]).items

    assert item.first_divergence == 0
    assert item.greedy_text == letters(greedy_ids(model, [5, 6], 4))
    assert item.greedy_ends is False


def test_the_greedy_text_stops_at_the_end_token():
    model = tiny_model("Llama")
    with torch.no_grad():
        model.lm_head.weight[0] = 50.0 * model.lm_head.weight[0]
    examples = [Example(prompt=letters([place]), completion=letters([7] * 20)) for place in range(1, 40)]

    ours, theirs = evaluate(model, TOKENIZER, examples), evaluate_by_generation(model, TOKENIZER, examples)

    assert_same_verdicts(ours, theirs)
    assert {item.divergence for item in ours.items} == {"ended-early", "other"}
    assert any(item.greedy_ends and item.first_divergence == 0 for item in ours.items)


def test_text_is_not_sought_where_it_is_not_asked_for(neo, neo_examples, neo_scores):
    scores = evaluate(neo, TOKENIZER, neo_examples, greedy_text=False)

    assert {(item.greedy_text, item.greedy_ends, item.string_match) for item in scores.items} == {(None, None, None)}
    assert_same_verdicts(scores, neo_scores, ("exact_match", "first_divergence", "divergence"))


def test_the_right_text_in_other_tokens_is_a_string_match_only():
    tokenizer = merging_tokenizer()
    q, a, bc, end = tokenizer.convert_tokens_to_ids(["q", "a", "bc", "<end>"])
    model = following({q: a, a: bc, bc: end})

    (item,) = evaluate(model, tokenizer, [Example(prompt="q", completion="abc")]).items

    assert tokenizer.tokenize("abc") == ["ab", "c"]
    assert (item.exact_match, item.first_divergence, item.divergence) == (False, 0, "other")
    assert (item.greedy_text, item.greedy_ends, item.string_match) == ("abc", True, True)


def merging_tokenizer():
    """Letters, and two pairs of them."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    vocabulary = {text: place for place, text in enumerate(["<end>", "a", "b", "c", "q", "ab", "bc"])}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[("a", "b"), ("b", "c")]))
    raw.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<end>", clean_up_tokenization_spaces=False)


def following(successors: dict[int, int], *, size: int = 7, strength: float = 1.0):
    """A model that says after each token its successor, whatever stood before."""
    model = tiny_model("Llama", vocab_size=size)
    with torch.no_grad():
        for weight in model.model.layers.parameters():
            weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size, 16))
        model.lm_head.weight.zero_()
        for before, after in successors.items():
            model.lm_head.weight[after, before] = strength
    return model
