"""An ensemble is a mixture of probabilities, loads by a spec, scores as one model, and is sampled by single members."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from architectures import tiny_model
from shoal.errors import CorruptModelError, ModelError, UsageError
from shoal.evaluation import evaluate, log_likelihoods
from shoal.evaluation.batching import ScoringRow
from shoal.models import (
    EnsembleForCausalLM,
    load_model,
    model_digest,
    parse_spec,
    sample_continuations,
    sample_ensemble,
    save_ensemble,
    save_model,
)
from shoal.tasks import Example
from tiny_models import byte_tokenizer, tiny_llama

WEIGHTS = [0.5, 0.2, 0.3]


def members(vocab_size=5, count=3):
    return [tiny_model("Llama", vocab_size=vocab_size, seed=seed) for seed in range(count)]


def text_probability(model, ids):
    """The probability of all ids but the first."""
    with torch.inference_mode():
        log_p = model(input_ids=torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return math.exp(sum(float(log_p[place, token]) for place, token in enumerate(ids[1:])))


def test_a_token_mixture_sums_the_probabilities_of_its_members():
    models = members()
    ids = torch.tensor([[1, 2, 3, 4, 0], [4, 4, 1, 0, 2]])
    with torch.inference_mode():
        wanted = sum(
            weight * model(input_ids=ids).logits.double().softmax(-1)
            for weight, model in zip(WEIGHTS, models, strict=True)
        )
        found = EnsembleForCausalLM(models, WEIGHTS).eval()(input_ids=ids).logits.double().softmax(-1)
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0)


def test_a_text_mixture_gives_each_text_the_weighted_sum_of_its_probabilities():
    models = members()
    ensemble = EnsembleForCausalLM(models, WEIGHTS, mixture="text").eval()
    for ids in ([1, 2, 3, 4], [0, 4, 4, 4]):
        wanted = sum(weight * text_probability(model, ids) for weight, model in zip(WEIGHTS, models, strict=True))
        assert text_probability(ensemble, ids) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("mixture", ["token", "text"])
def test_texts_sampled_by_one_member_at_a_time_come_as_often_as_the_mixture_says(mixture):
    ensemble = EnsembleForCausalLM(members(vocab_size=4, count=2), [0.7, 0.3], mixture=mixture).eval()
    prefix, draws = [1, 3], 1500
    said = sample_ensemble(ensemble, [prefix] * draws, range(draws), [2] * draws)
    texts = [list(text) for text in itertools.product(range(4), repeat=2)]
    wanted = [text_probability(ensemble, prefix + text) / text_probability(ensemble, prefix) for text in texts]
    assert sum(wanted) == pytest.approx(1, abs=1e-5)
    counts = np.array([said.count(text) for text in texts])
    assert chisquare(counts, np.array(wanted) / sum(wanted) * draws).pvalue > 1e-3
    other = EnsembleForCausalLM(list(ensemble.members), [0.05, 0.95], mixture=mixture).eval()
    unlike = np.array([text_probability(other, prefix + text) for text in texts])
    assert chisquare(counts, unlike / unlike.sum() * draws).pvalue < 1e-6


def test_a_sampled_text_depends_on_its_seed_alone_and_ends_at_the_end_token():
    ensemble = EnsembleForCausalLM(members(vocab_size=6), WEIGHTS).eval()
    alone = [sample_ensemble(ensemble, [[1, 2]], [seed], [6], end_id=0)[0] for seed in range(4)]
    assert sample_ensemble(ensemble, [[1, 2]] * 4, range(4), [6] * 4, end_id=0) == alone
    assert all(0 not in row[:-1] for row in alone)


@pytest.mark.parametrize("temperature", [1e-300, 1e-310])
@pytest.mark.parametrize("mixture", ["token", "text"])
def test_near_temperature_0_a_text_of_one_member_is_the_greedy_one(mixture, temperature):
    ensemble = EnsembleForCausalLM(members(count=1), mixture=mixture).eval()
    found = sample_ensemble(ensemble, [[1, 2]], [3], [6], temperature=temperature)
    assert found == sample_continuations(ensemble.models[0], [[1, 2]], [3], [6], temperature=0, end_id=None)


@pytest.mark.parametrize("mixture", ["token", "text"])
def test_members_whose_logits_are_no_numbers_are_not_sampled(mixture):
    models = members(count=2)
    for model in models:
        torch.nn.init.constant_(model.lm_head.weight, math.nan)
    with pytest.raises(ModelError, match="logits are not numbers"):
        sample_ensemble(EnsembleForCausalLM(models, mixture=mixture).eval(), [[1, 2]], [3], [6])


def test_an_ensemble_is_scored_as_its_members_are():
    models = members(vocab_size=40)
    ids = tuple(np.random.default_rng(0).integers(0, 40, 30).tolist())
    rows = [ScoringRow(0, ids, 1, 0, 29), ScoringRow(1, ids[:9], 2, 0, 7)]
    found = log_likelihoods(EnsembleForCausalLM(models, WEIGHTS).eval(), rows)
    for row, nats in zip(rows, found, strict=True):
        with torch.inference_mode():
            p_KN = [
                model(input_ids=torch.tensor([row.ids]))
                .logits[0]
                .double()
                .softmax(-1)[torch.arange(row.boundary - 1, len(row.ids) - 1), torch.tensor(row.ids[row.boundary :])]
                for model in models
            ]
        wanted = sum(w * p for w, p in zip(WEIGHTS, p_KN, strict=True)).log().sum()
        assert nats == pytest.approx(float(wanted), rel=1e-5)


@pytest.fixture
def saved(tmp_path):
    """Two members and the folder of their ensemble, side by side."""
    for seed in range(2):
        save_model(tiny_llama(seed=seed), byte_tokenizer(), tmp_path / f"member{seed}")
    save_ensemble(tmp_path / "both", [str(tmp_path / "member0"), str(tmp_path / "member1")], [0.25, 0.75])
    return tmp_path


def test_a_saved_ensemble_loads_by_its_folder_and_gives_the_same_numbers(saved):
    loaded = load_model(str(saved / "both"))
    assert parse_spec(str(saved / "both")).kind == "ensemble"
    assert load_model(f"ensemble:{saved / 'both'}").digest == loaded.digest
    ids = torch.tensor([[5, 6, 7]])
    models = [load_model(str(saved / f"member{seed}")).model for seed in range(2)]
    with torch.inference_mode():
        wanted = EnsembleForCausalLM(models, [0.25, 0.75]).eval()(input_ids=ids).logits
        torch.testing.assert_close(loaded.model(input_ids=ids).logits, wanted)
    examples = [Example(prompt="one two", completion=" three")]
    scores = evaluate(loaded.model, loaded.tokenizer, examples)
    assert math.isfinite(scores.items[0].log_likelihood)
    assert scores.items[0].greedy_text is not None


def test_an_ensemble_and_its_members_can_be_moved_together(saved):
    saved.rename(saved.with_name("elsewhere"))
    moved = saved.with_name("elsewhere")
    assert load_model(str(moved / "both")).parameters == 2 * load_model(str(moved / "member0")).parameters


def test_members_of_every_kind_that_lie_here_are_found_from_another_folder(tmp_path, monkeypatch):
    save_model(tiny_llama(), byte_tokenizer(), tmp_path / "there" / "member")
    monkeypatch.chdir(tmp_path / "there")
    save_ensemble("both", ["random:./member", "member"])
    written = [
        one["spec"] for one in json.loads((tmp_path / "there" / "both" / "ensemble.json").read_text())["members"]
    ]
    assert written == ["random:../member", "../member"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").rename(tmp_path / "elsewhere")
    loaded = load_model("elsewhere/both", device="cpu").model
    fresh, plain = (load_model(spec, device="cpu").digest for spec in ("random:elsewhere/member", "elsewhere/member"))
    assert [model_digest(one) for one in loaded.models] == [fresh, plain]


def test_members_that_were_changed_are_refused(saved):
    save_model(tiny_llama(seed=7), byte_tokenizer(), saved / "member1")
    with pytest.raises(CorruptModelError, match="member1 is not the model"):
        load_model(str(saved / "both"))


def test_broken_ensembles_are_named_in_one_line(saved):
    with pytest.raises(CorruptModelError, match=r"ensemble\.json"):
        load_model(f"ensemble:{saved / 'member0'}")
    (saved / "both" / "ensemble.json").write_text(json.dumps({"members": [{"spec": "x"}]}))
    with pytest.raises(CorruptModelError, match="save it again"):
        load_model(str(saved / "both"))
    with pytest.raises(UsageError, match="random: takes"):
        load_model(f"random:{saved / 'both'}")


MEMBER = {"spec": "../member0", "digest": "0" * 64, "weight": 1.0}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "expected a JSON object"),
        ({"mixture": "token"}, "'members'"),
        ({"members": [MEMBER]}, "'mixture'"),
        ({"members": [], "mixture": "token"}, "names no members"),
        ({"members": 5, "mixture": "token"}, "not that of an ensemble"),
        ({"members": [MEMBER | {"spec": 5}], "mixture": "token"}, "expected a spec, a digest and a weight"),
        ({"members": [MEMBER | {"digest": None}], "mixture": "token"}, "expected a spec, a digest and a weight"),
        ({"members": [MEMBER | {"weight": "1"}], "mixture": "token"}, "expected a spec, a digest and a weight"),
        ({"members": [MEMBER | {"spec": "./"}], "mixture": "token"}, "both is a member of itself"),
        ({"members": [MEMBER | {"spec": "../other"}], "mixture": "token"}, "both is a member of itself"),
    ],
)
def test_a_file_that_is_not_that_of_an_ensemble_is_named_in_one_line(saved, record, message):
    (saved / "both" / "ensemble.json").write_text(json.dumps(record))
    (saved / "other").mkdir()
    (saved / "other" / "ensemble.json").write_text(
        json.dumps({"members": [MEMBER | {"spec": "../both"}], "mixture": "token"})
    )
    with pytest.raises(CorruptModelError) as fault:
        load_model(f"ensemble:{saved / 'both'}")
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)


def test_ensembles_of_the_same_members_have_digests_of_their_own():
    """Results are kept by the digest of the model: those of another mixture would be taken for this one's."""
    models = members(count=2)
    mixtures = [
        ([0.25, 0.75], "token"),
        ([0.25, 0.75], "text"),
        ([0.75, 0.25], "token"),
        ([0.2500001, 0.7499999], "token"),
    ]
    made = [EnsembleForCausalLM(models, weights, mixture=mixture) for weights, mixture in mixtures]
    assert len({model_digest(one) for one in made}) == len(mixtures)
    assert model_digest(EnsembleForCausalLM(models, *mixtures[0][:1])) == model_digest(made[0])
    # Where all are rounded, the weights of the mixture are not.
    assert len({model_digest(one.to(torch.bfloat16)) for one in made}) == len(mixtures)


@pytest.mark.parametrize("mixture", ["token", "text"])
def test_the_weights_of_an_ensemble_in_a_narrow_format_are_not_rounded(mixture):
    """In bfloat16 a weight would be off by a part in 256, and the probabilities of all tokens would not sum to 1."""
    models = [tiny_model("Llama", vocab_size=5, seed=seed).to(torch.bfloat16) for seed in range(2)]
    ensemble = EnsembleForCausalLM(models, [0.05, 0.95], mixture=mixture).eval()
    with torch.inference_mode():
        log_p = ensemble(input_ids=torch.tensor([[1, 2, 3, 4, 0, 4, 4]])).logits
    torch.testing.assert_close(log_p.double().exp().sum(-1), torch.ones(1, 7, dtype=torch.float64), atol=1e-5, rtol=0)


@pytest.mark.parametrize("mixture", ["token", "text"])
def test_an_ensemble_generates_what_its_probabilities_say(saved, mixture):
    from shoal.serving import GenerationSettings, generate

    save_ensemble(saved / "mixed", [str(saved / "member0"), str(saved / "member1")], [0.25, 0.75], mixture=mixture)
    loaded = load_model(str(saved / "mixed"))
    (found,) = generate(str(saved / "mixed"), ["ab"], GenerationSettings(max_tokens=6, logprobs=0)).texts
    ids = [*loaded.tokenizer("ab")["input_ids"], *found.ids]
    with torch.inference_mode():
        log_p = loaded.model(input_ids=torch.tensor([ids])).logits[0].double()
    assert log_p[1:-1].argmax(-1).tolist() == list(found.ids)
    wanted = [float(log_p[1 + place, id_]) for place, id_ in enumerate(found.ids)]
    assert [token.logprob for token in found.logprobs] == pytest.approx(wanted, abs=1e-5)


def test_models_that_cannot_be_mixed_are_refused():
    models = members()
    with pytest.raises(ModelError, match="one vocabulary"):
        EnsembleForCausalLM([models[0], tiny_model("Llama", vocab_size=6)])
    with pytest.raises(ModelError, match="at least one"):
        EnsembleForCausalLM([])
    with pytest.raises(UsageError, match="shares"):
        EnsembleForCausalLM(models, [0.9, 0.9, 0.9])
    with pytest.raises(UsageError, match="token or text"):
        EnsembleForCausalLM(models, mixture="logits")
    with pytest.raises(UsageError, match="temperature above 0"):
        sample_ensemble(EnsembleForCausalLM(models), [[1]], [0], [2], temperature=0)
