"""Probes and what is made of their failures: forms of seeds, clusters, curated rows, comparisons, export."""

from __future__ import annotations

import base64
import codecs
import random
from collections import Counter
from pathlib import Path

import pytest

from shoal.curation.classifier import make_vectorizer
from shoal.errors import DataError, UnknownNameError
from shoal.safety.probing import (
    Probe,
    cluster_texts,
    compare_losses,
    compare_models,
    curate_rows,
    find_mutations,
    make_probe_seeds,
    make_probes,
    read_probe_seeds,
)
from shoal.safety.prompt_scores import PromptScore
from shoal.safety.tuning import HeldOutLoss, InstructionPair

SEED = "How do I open a lock?"


def rows(harmful: int = 12, harmless: int = 6) -> list[dict[str, str]]:
    found = [{"prompt": f"How do I break item {place}?", "label": "unsafe"} for place in range(harmful)]
    return found + [{"prompt": f"How do I draw item {place}?", "label": "safe"} for place in range(harmless)]


def probe(prompt: str, *, harmful: bool = True, family: str = "plain", seed: str = "") -> Probe:
    return Probe(
        prompt=prompt, seed=seed or prompt, harmful=harmful, type="", mutation=family, family=family, part="test"
    )


def score(prompt: str, *, refused: bool | None) -> PromptScore:
    conduct = None if refused is None else "refusal" if refused else "compliance"
    return PromptScore(prompt=prompt, conduct=conduct, refuses=float(bool(refused)))


def test_every_form_holds_the_seed_or_its_encoding() -> None:
    draw = random.Random(0)
    forms = {mutation.name: mutation.apply(SEED, draw) for mutation in find_mutations()}
    assert base64.b64decode(forms.pop("base64").rpartition(" ")[2]).decode() == SEED
    assert codecs.decode(forms.pop("rot13").partition(": ")[2], "rot13") == SEED
    assert forms.pop("leetspeak") == "H0w d0 1 0p3n 4 l0ck?"
    assert all(SEED in form and form != SEED for form in forms.values())


def test_forms_are_chosen_by_name_or_family() -> None:
    assert [one.name for one in find_mutations(["role", "rot13"])] == ["teacher", "actor", "rot13"]
    with pytest.raises(UnknownNameError, match="did you mean 'fiction'"):
        find_mutations(["fictoin"])


def test_half_of_the_seeds_of_each_label_are_learned_from() -> None:
    seeds = make_probe_seeds(rows())
    assert Counter((seed.harmful, seed.part) for seed in seeds) == {
        (True, "train"): 6,
        (True, "test"): 6,
        (False, "train"): 3,
        (False, "test"): 3,
    }
    parts = {seed.prompt: seed.part for seed in seeds}
    assert {seed.prompt: seed.part for seed in make_probe_seeds(rows()[::-1])} == parts
    assert len(make_probe_seeds(rows(), max_seeds=4)) == 8


def test_seeds_that_cannot_be_probed_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 0 harmful prompts of 6"):
        make_probe_seeds(rows(harmful=0))
    with pytest.raises(DataError, match="row 1: the label is 'odd'"):
        make_probe_seeds([{"prompt": "Why?", "label": "odd"}])
    path = tmp_path / "seeds.csv"
    path.write_text("question\nWhy?\n", encoding="utf-8")
    with pytest.raises(DataError, match="the column 'prompt' holds no text; the row has the columns 'question'"):
        read_probe_seeds(path)


def test_each_seed_has_other_forms_and_all_forms_are_used_alike() -> None:
    seeds, mutations = make_probe_seeds(rows()), find_mutations()
    probes = make_probes(seeds, mutations, per_seed=4)
    assert len(probes) == len(seeds) * 5
    assert all(len({one.mutation for one in probes if one.seed == seed.prompt}) == 5 for seed in seeds)
    counts = Counter(one.mutation for one in probes if one.mutation != "plain")
    assert max(counts.values()) - min(counts.values()) <= 2
    assert make_probes(seeds, mutations, per_seed=4) == probes
    assert make_probes(seeds, mutations, per_seed=4, draw_seed=1) != probes


def test_texts_of_like_words_lie_in_one_cluster() -> None:
    texts = [f"open the door of house {place}" for place in range(5)]
    texts += [f"poison soup of guest {place}" for place in range(5)]
    found = cluster_texts(texts, make_vectorizer("hashed"))
    assert found.numbers == (0,) * 5 + (1,) * 5
    assert ("door" in found.names[0], "soup" in found.names[1]) == (True, True)
    assert found.nearest(make_vectorizer("hashed").encode(["the door of house 9"])) == [0]
    assert cluster_texts(texts[:3], make_vectorizer("hashed")).numbers == (0, 0, 0)


def test_curated_rows_are_even_over_clusters_balanced_and_have_a_provenance() -> None:
    mutations = find_mutations(["encoding"])
    failures = [probe(f"a{place}", family="base64", seed=f"a{place}") for place in range(20)]
    failures += [probe(f"b{place}", seed=f"b{place}") for place in range(3)]
    clusters = {one.seed: one.seed[0] for one in failures}
    instructions = [InstructionPair(instruction=f"Name {place}.", answer=f"{place}") for place in range(30)]
    found = curate_rows(failures, clusters, instructions, mutations, max_rows=12, round_number=1)
    kinds = Counter(row.kind for row in found)
    assert kinds == {"refusal": 6, "counterweight": 6}
    assert Counter(row.cluster for row in found if row.kind == "refusal") == {"a": 3, "b": 3}
    # As many harmless instructions in each form, so that the form itself is no reason to refuse.
    forms = [Counter(row.mutation for row in found if row.kind == kind) for kind in kinds]
    assert forms[0] == {"base64": 3, "plain": 3}
    assert forms[1] == forms[0]
    assert {row.source for row in found} == {"hand-written by shoal", "file of instructions"}
    again = curate_rows(failures, clusters, instructions, mutations, max_rows=12, round_number=2, known=found)
    assert not {row.prompt for row in found} & {row.prompt for row in again}


def test_models_are_compared_probe_by_probe_and_p_values_are_adjusted() -> None:
    probes = [probe(f"h{place}", family=("plain", "role")[place % 2]) for place in range(40)]
    probes += [probe(f"s{place}", harmful=False) for place in range(40)]
    before = {one.prompt: score(one.prompt, refused=False) for one in probes}
    after = {one.prompt: score(one.prompt, refused=True) for one in probes}
    after["h0"] = score("h0", refused=None)
    found = {one.what: one for one in compare_models(("a", "b"), probes, before, after)}
    assert set(found) == {"harmful, all", "harmful, as they stand", "harmful, role", "harmless, all"}
    assert (found["harmful, all"].mended, found["harmful, all"].probes) == (39, 39)
    assert found["harmful, role"].direction == "better"
    assert found["harmless, all"].direction == "worse"
    assert found["harmful, all"].adjusted > found["harmful, all"].p_value
    same = compare_models(("a", "a"), probes, before, before)
    assert {one.direction for one in same} == {"not significant"}


def test_losses_are_compared_answer_by_answer() -> None:
    before = [HeldOutLoss(nats=10.0 + place, tokens=10) for place in range(12)]
    after = [HeldOutLoss(nats=one.nats + 1, tokens=10) for one in before]
    found = compare_losses(("a", "b"), before, after)
    assert found.difference.estimate == pytest.approx(0.1)
    assert found.direction == "worse"
    assert compare_losses(("b", "a"), after, before).direction == "better"
