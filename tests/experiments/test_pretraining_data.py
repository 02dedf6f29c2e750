"""From corpora to batches: documents, held-out ids, tokens that are written once, and an order without leakage."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from children import answer_of
from shoal.errors import DataError, StoreError, UsageError
from shoal.experiments.pretraining import Recipe, recipe_from
from shoal.experiments.pretraining.data import Prepared, prepare_data
from shoal.experiments.pretraining.documents import document_id, prepare_documents, read_texts

WORDS = ["cat", "dog", "sun", "hat", "red", "big", "ran", "sat", "saw", "tree", "ball", "bird"]


def text(number: int, words: int = 40) -> str:
    """A document of so many words, the same for the same number."""
    draws = np.random.default_rng(number)
    return " ".join(draws.choice(WORDS, words)) + "."


def write_texts(file: Path, texts: list[str]) -> Path:
    file.write_text("\n<|endoftext|>\n".join(texts), encoding="utf-8")
    return file


def recipe(*corpora: dict[str, Any], **tables: Any) -> Recipe:
    table = {
        "name": "small",
        "corpus": list(corpora),
        "tokenizer": {"vocabulary": 280},
        "model": {"width": 16, "layers": 1, "heads": 2, "context": 32},
        "training": {"batch_tokens": 256},
    }
    return recipe_from(table | tables, "small.toml")


@pytest.fixture
def corpus(tmp_path: Path) -> dict[str, Any]:
    return {"name": "a", "source": str(write_texts(tmp_path / "a.txt", [text(n) for n in range(60)])), "held_out": 0.1}


def all_batches(prepared: Prepared) -> list[Any]:
    return [prepared.stream.batch(step) for step in range(prepared.stream.steps)]


def read_documents(prepared: Prepared) -> list[str]:
    """Every piece of the training as text, in order."""
    return [
        prepared.tokenizer.decode(document.ids, skip_special_tokens=True)
        for batch in all_batches(prepared)
        for document in batch.documents
    ]


# ---- documents


def test_documents_of_every_kind_of_file_are_read(tmp_path: Path) -> None:
    texts = [text(1), text(2)]
    write_texts(tmp_path / "a.txt", texts)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": one}) + "\n" for one in texts))
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for place, one in enumerate(texts):
            archive.writestr(f"{place}.txt", one)
    for name in ("a.txt", "a.jsonl", "a.zip"):
        made = recipe({"name": "a", "source": str(tmp_path / name)})
        assert list(read_texts(prepare_documents(made.corpus[0], tmp_path / "out"))) == texts


def test_a_hub_data_set_is_streamed_and_its_first_documents_taken(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "set").mkdir()
    pq.write_table(pa.table({"story": [text(n) for n in range(9)]}), tmp_path / "set" / "train.parquet")
    made = recipe({"name": "h", "source": f"hub:{tmp_path / 'set'}", "column": "story", "documents": 4})
    file = prepare_documents(made.corpus[0], tmp_path / "out")
    assert list(read_texts(file)) == [text(n) for n in range(4)]


def test_stories_of_our_own_are_told_again_for_the_same_seed(tmp_path: Path) -> None:
    told = [
        list(read_texts(prepare_documents(recipe({"name": "g"} | kind).corpus[0], tmp_path / place)))
        for place, kind in (
            ("one", {"grammar": 5, "seed": 1}),
            ("two", {"grammar": 5, "seed": 1}),
            ("three", {"grammar": 5, "seed": 2}),
            ("four", {"mixture": {"tale": 1.0, "copy-object": 1.0}, "stories": 5}),
        )
    ]
    assert told[0] == told[1] != told[2]
    assert [len(one) for one in told] == [5, 5, 5, 5]


def test_documents_are_cleaned_and_repeats_dropped_on_request(tmp_path: Path) -> None:
    long = text(5, 80)
    source = write_texts(
        tmp_path / "a.txt", ["“Hi” said  Tom…", long, long.replace("cat", "cat", 1), text(6), "1, 2, 3"]
    )
    made = recipe({"name": "a", "source": str(source), "deduplicate": True, "drop_counting": True})
    file = prepare_documents(made.corpus[0], tmp_path / "out")
    assert list(read_texts(file)) == ['"Hi" said Tom...', long, text(6)]
    assert json.loads(file.with_suffix(".json").read_text()) == {"read": 5, "repeated": 1, "counting": 1, "kept": 3}


def test_prepared_documents_are_used_again_and_made_anew_for_another_text(tmp_path: Path) -> None:
    source = write_texts(tmp_path / "a.txt", [text(1), text(2)])
    table = recipe({"name": "a", "source": str(source)}).corpus[0]
    first = prepare_documents(table, tmp_path / "out")
    stamp = first.stat().st_mtime_ns
    assert prepare_documents(table.model_copy(update={"name": "b", "passes": 3.0}), tmp_path / "out") == first
    assert first.stat().st_mtime_ns == stamp
    write_texts(source, [text(1), text(3)])
    assert prepare_documents(table, tmp_path / "out") != first


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no text"),
        (b"  \n\n \n", "holds no text"),
        (b"caf\xe9 au lait", "is not UTF-8"),
    ],
)
def test_an_empty_or_undecodable_corpus_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    made = recipe({"name": "a", "source": str(tmp_path / "a.txt")})
    with pytest.raises(DataError, match=message) as fault:
        prepare_data(made, tmp_path / "out")
    assert "\n" not in str(fault.value)
    assert not list((tmp_path / "out").glob("*"))


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*none\.txt"):
        prepare_data(recipe({"name": "a", "source": str(tmp_path / "none.txt")}), tmp_path / "out")


# ---- held out


def test_held_out_documents_are_never_read_in_any_corpus(tmp_path: Path, corpus: dict[str, Any]) -> None:
    copies = {
        "name": "b",
        "source": str(write_texts(tmp_path / "b.txt", [text(n) for n in range(30, 90)])),
        "held_out": 0.0,
    }
    prepared = prepare_data(recipe(corpus, copies), tmp_path / "out")
    held_out = set(prepared.held_out_ids)
    assert 2 <= len(held_out) <= 14
    read = " ".join(read_documents(prepared))
    texts = {document_id(text(n)): text(n) for n in range(90)}
    assert not any(texts[one] in read for one in held_out)
    repeated = ~prepared.split.seen["b"] & ~prepared.split.held_out["b"]
    assert repeated.sum() == sum(document_id(text(n)) in held_out for n in range(30, 60))


def test_the_choice_hangs_on_the_text_alone(tmp_path: Path, corpus: dict[str, Any]) -> None:
    chosen = prepare_data(recipe(corpus), tmp_path / "out").held_out_ids
    write_texts(Path(corpus["source"]), [f"  {text(n)}" for n in reversed(range(80))])
    more = prepare_data(recipe(corpus), tmp_path / "out").held_out_ids
    assert set(chosen) <= set(more)
    assert set(more) - set(chosen) <= {document_id(text(n)) for n in range(60, 80)}


def test_a_published_list_fixes_the_held_out_documents(tmp_path: Path, corpus: dict[str, Any]) -> None:
    ids = [document_id(text(n)) for n in (3, 14, 15)]
    (tmp_path / "ids.txt").write_text("# stories of another run\n" + "\n".join([*ids, "0" * 16]) + "\n")
    prepared = prepare_data(recipe(corpus, evaluation={"held_out_ids": str(tmp_path / "ids.txt")}), tmp_path / "out")
    assert sorted(prepared.held_out_ids) == sorted(ids)
    assert prepared.split.missing == 1
    (tmp_path / "ids.txt").write_text("0" * 16)
    with pytest.raises(DataError, match="none of the 1 ids"):
        prepare_data(recipe(corpus, evaluation={"held_out_ids": str(tmp_path / "ids.txt")}), tmp_path / "out")
    (tmp_path / "ids.txt").write_text("story 3\n")
    with pytest.raises(DataError, match="16 hexadecimal characters per line"):
        prepare_data(recipe(corpus, evaluation={"held_out_ids": str(tmp_path / "ids.txt")}), tmp_path / "out")


def test_one_document_cannot_be_parted(tmp_path: Path) -> None:
    table = {"name": "a", "source": str(write_texts(tmp_path / "a.txt", [text(1, 400)]))}
    with pytest.raises(DataError, match=r"holds one document.*held_out = 0"):
        prepare_data(recipe(table), tmp_path / "out")
    assert prepare_data(recipe(table | {"held_out": 0.0}), tmp_path / "out").held_out_ids == []


def test_a_corpus_that_is_all_held_out_is_refused(tmp_path: Path, corpus: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="every document of the corpus 'a' is held out"):
        prepare_data(recipe(corpus | {"held_out": 0.9999999}), tmp_path / "out")


def test_a_prompt_that_fills_the_context_is_refused(tmp_path: Path, corpus: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"the prompt 'zq zq.* has \d+ tokens, and the model reads 32"):
        prepare_data(recipe(corpus, evaluation={"prompts": ["zq " * 30]}), tmp_path / "out")


# ---- tokens


def test_tokens_are_written_once_and_mapped(tmp_path: Path, corpus: dict[str, Any]) -> None:
    first = prepare_data(recipe(corpus), tmp_path / "out")
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.is_file()}
    second = prepare_data(recipe(corpus, seed=9, training={"batch_tokens": 64, "tokens": 5000}), tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert isinstance(second.corpora["a"].file.tokens, np.memmap)
    assert first.stream.digest != second.stream.digest


def test_a_vocabulary_larger_than_the_data_is_refused(tmp_path: Path, corpus: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"the corpus gives \d+ tokens at most, not the requested 5000"):
        prepare_data(recipe(corpus, tokenizer={"vocabulary": 5000}), tmp_path / "out")


def test_a_context_longer_than_any_document_is_refused(tmp_path: Path, corpus: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"model.context = 4000, and the longest document has \d+ tokens"):
        prepare_data(recipe(corpus, model={"context": 4000, "width": 16, "heads": 2}), tmp_path / "out")


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, corpus: dict[str, Any]) -> None:
    def prepare_on_a_full_disk() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))
        prepare_data(recipe(corpus), tmp_path / "out")

    fault = answer_of(prepare_on_a_full_disk)
    assert isinstance(fault, StoreError)
    assert "no room left" in str(fault)
    assert list((tmp_path / "out").glob("*")) == []


def test_a_tokenizer_that_is_there_is_taken(tmp_path: Path, corpus: dict[str, Any]) -> None:
    prepared = prepare_data(recipe(corpus, tokenizer={"source": "bundled:searches"}), tmp_path / "out")
    assert len(prepared.tokenizer) == 1024


# ---- order


def test_every_document_is_read_once_a_pass_and_in_pieces_of_the_context(
    tmp_path: Path, corpus: dict[str, Any]
) -> None:
    prepared = prepare_data(
        recipe(corpus | {"passes": 2.0}, training={"batch_tokens": 256, "bare": 0.0}), tmp_path / "out"
    )
    batches = all_batches(prepared)
    pieces = [document.ids.tolist() for batch in batches for document in batch.documents]
    assert max(map(len, pieces)) == 33
    assert all(batch.targets <= 256 for batch in batches)
    seen = prepared.corpora["a"].file.lengths[prepared.split.seen["a"]] - 1
    assert sum(len(piece) - 1 for piece in pieces) == 2 * seen.sum() == prepared.stream.tokens
    end = prepared.tokenizer.eos_token_id
    assert sum(piece[-1] == end for piece in pieces) == 2 * len(seen)
    assert not any(end in piece[1:-1] for piece in pieces), "a piece holds no more than one document"


def test_a_tokenizer_is_learned_on_the_chosen_corpora_alone(tmp_path: Path, corpus: dict[str, Any]) -> None:
    odd = {
        "name": "odd",
        "source": str(write_texts(tmp_path / "odd.txt", ["zyzzyva quokka " * 40] * 3)),
        "held_out": 0.0,
    }
    chosen = prepare_data(recipe(odd, corpus, tokenizer={"vocabulary": 280, "corpora": ["a"]}), tmp_path / "out")
    alone = prepare_data(recipe(corpus), tmp_path / "out")
    assert chosen.tokenizer.get_vocab() == alone.tokenizer.get_vocab()
    every = prepare_data(recipe(odd, corpus), tmp_path / "out")
    assert every.tokenizer.get_vocab() != alone.tokenizer.get_vocab()


def test_some_documents_are_read_without_the_token_before_them(tmp_path: Path, corpus: dict[str, Any]) -> None:
    def begun(bare: float) -> float:
        prepared = prepare_data(recipe(corpus, training={"bare": bare, "batch_tokens": 256}), tmp_path / "out")
        first = [
            d.ids[0] == prepared.tokenizer.eos_token_id for batch in all_batches(prepared) for d in batch.documents
        ]
        return sum(first) / prepared.split.seen["a"].sum()

    assert begun(0.0) == 1.0
    assert begun(1.0) == 0.0
    assert 0.3 < begun(0.5) < 0.7


def test_the_steps_are_full(tmp_path: Path) -> None:
    table = {"name": "g", "grammar": 300}
    model = {"width": 16, "layers": 1, "heads": 2, "context": 128}
    prepared = prepare_data(recipe(table, model=model, training={"batch_tokens": 2048}), tmp_path / "out")
    assert prepared.stream.efficiency >= 0.98


def test_the_order_is_a_function_of_the_seed(tmp_path: Path, corpus: dict[str, Any]) -> None:
    first, again, other = (prepare_data(recipe(corpus, seed=seed), tmp_path / "out") for seed in (1, 1, 2))
    assert read_documents(first) == read_documents(again) != read_documents(other)
    assert first.stream.digest == again.stream.digest != other.stream.digest


def test_the_given_order_goes_through_the_corpora_as_they_stand(tmp_path: Path, corpus: dict[str, Any]) -> None:
    training = {"batch_tokens": 40, "order": "given", "bare": 0.0}
    prepared = prepare_data(recipe(corpus, training=training), tmp_path / "out")
    starts = [document.ids[1:6].tolist() for batch in all_batches(prepared)[:3] for document in batch.documents]
    file, seen = prepared.corpora["a"].file, np.flatnonzero(prepared.split.seen["a"])
    assert starts[0] == file.document(int(seen[0]))[1:6].tolist()


def test_stages_take_their_shares_one_after_the_other(tmp_path: Path, corpus: dict[str, Any]) -> None:
    other = {"name": "b", "source": str(write_texts(tmp_path / "b.txt", ["zip zap " * 30, "zap zip " * 31]))}
    stages = [
        {"tokens": 3000, "shares": {"a": 3.0, "b": 1.0}},
        {"tokens": 1000, "shares": {"b": 1.0}},
    ]
    prepared = prepare_data(recipe(corpus, other | {"held_out": 0.0}, stages=stages), tmp_path / "out")
    batches = all_batches(prepared)
    shares, total = [], 0
    for batch in batches:
        of_b = [d for d in batch.documents if "z" in prepared.tokenizer.decode(d.ids)]
        shares.append(sum(len(d.ids) - 1 for d in of_b) / sum(len(d.ids) - 1 for d in batch.documents))
        total += batch.targets
    assert 3800 < total < 4200
    last = [place for place, share in enumerate(shares) if share == 1.0]
    assert last == list(range(last[0], len(batches)))
    assert 0.15 < np.mean(shares[: last[0]]) < 0.35
    scaled = recipe(corpus, other | {"held_out": 0.0}, stages=stages, training={"tokens": 800, "batch_tokens": 256})
    assert 700 < prepare_data(scaled, tmp_path / "out").stream.tokens < 900


def test_no_document_of_a_step_sees_another(tmp_path: Path, corpus: dict[str, Any]) -> None:
    """The gradient of a step is the sum of those of its documents alone."""
    import torch

    from shoal.experiments.pretraining.planning import build_recipe_model
    from shoal.training import choose_gradient
    from shoal.training.batches import Batch
    from shoal.training.flat_parameters import FlatParameters

    made = recipe(corpus)
    prepared = prepare_data(made, tmp_path / "out")
    for kind in ("llama", "gpt-neo"):
        model = build_recipe_model(made.with_values({"model.kind": kind}), prepared.tokenizer)
        batch = prepared.stream.batch(0)
        assert len(batch.documents) > 5
        with FlatParameters(model) as weights:
            gradient = choose_gradient(model, weights, dropout=False)
            gradient(batch, "float32", batch.targets)
            together = weights.grads_P.clone()
            weights.grads_P.zero_()
            for document in batch.documents:
                gradient(Batch((document,), "one"), "float32", batch.targets)
            assert torch.allclose(together, weights.grads_P, atol=1e-6 * float(together.abs().max()), rtol=0)
