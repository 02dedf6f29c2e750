"""The documents of a corpus are rewritten, none is equal to a held-out one, and the command line writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shoal.cli.main import main
from shoal.curation.augmentation import CorpusAugmentation
from shoal.errors import UsageError

TEXTS = ["The big dog ran. The cat sat.", "A tiny bird sang.", "One."]


def test_each_document_is_followed_by_its_rewritten_ones() -> None:
    methods = CorpusAugmentation(["synonyms", "reordering"], copies=2)
    made = list(methods.apply(TEXTS))
    assert [text for text in made if text in TEXTS] == TEXTS
    assert "The cat sat. The big dog ran." in made
    synonyms, reordering = methods.counts
    assert len(made) == len(TEXTS) + synonyms.accepted + reordering.accepted
    assert (synonyms.made, reordering.made) == (6, 6)
    assert list(CorpusAugmentation(["synonyms", "reordering"], copies=2).apply(TEXTS)) == made


def test_held_out_documents_are_not_written_and_no_document_becomes_one() -> None:
    held_out = ["a tiny  BIRD sang.", "The cat sat. The big dog ran."]
    methods = CorpusAugmentation(["reordering"], held_out=held_out)
    assert list(methods.apply(TEXTS)) == [TEXTS[0], TEXTS[2]]
    assert methods.counts[0].held_out == 1


def test_a_held_out_document_is_known_whatever_the_form_of_its_accents() -> None:
    methods = CorpusAugmentation(["reordering"], held_out=["A cafe\u0301."])
    assert list(methods.apply(["A caf\u00e9.", "One."])) == ["One."]


def test_methods_that_need_a_task_or_an_endpoint_are_refused() -> None:
    for method in ("counterfactuals", {"name": "back-translation", "url": "u", "model": "m", "record": "r"}):
        with pytest.raises(UsageError, match="cannot augment the documents of a corpus as they pass by"):
            CorpusAugmentation([method])
    with pytest.raises(UsageError, match="no method of augmentation is given"):
        CorpusAugmentation([])


def test_the_command_line_writes_the_corpus_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = tmp_path / "corpus.txt", tmp_path / "out.jsonl"
    source.write_text("\n\n".join(TEXTS))
    main(["corpus", "augment", str(source), "--augment", "synonyms(rate=1.0)", "--out", str(out)])
    assert len(out.read_text().splitlines()) == 5
    assert "synonyms(rate=1.0): 3 candidates, 2 accepted (1 unchanged)" in capsys.readouterr().out


def test_the_command_line_augments_the_seen_rows_of_a_task(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "rows.jsonl"
    main(["task", "counting", "--option", "largest=10", "--augment", "spelling-noise", "--out", str(out)])
    rows = out.read_text().splitlines()
    assert sum('"part": "seen"' in row for row in rows) == 14
    assert sum('"part": "held_out"' in row for row in rows) == 3
    assert "7 examples added to 7, each checked by the rule" in capsys.readouterr().out
