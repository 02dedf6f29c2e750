"""The card of an export states what was verified, and links its source only where the hub has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from shoal.serving.export import ExportedFile, ExportVerification, GreedyDifference, ModelExport
from shoal.serving.export.card import model_card

DIFFERENCE = GreedyDifference(prompt="Once upon a time", place=3, expected=" cat", found=" dog", margin=0.01234)


def verification(**changes):
    given = {
        "prompts": 16,
        "positions": 1234,
        "new_tokens": 32,
        "max_difference": 0.00002,
        "max_logit": 25.0,
        "relative_tolerance": 1e-4,
        "greedy_differences": (),
        "texts": 20,
        "token_differences": (),
    }
    return ExportVerification(**{**given, **changes})


def export(**changes):
    given = {
        "source": "HuggingFaceTB/SmolLM2-135M@main",
        "source_digest": "ab" * 32,
        "format": "gguf",
        "dtype": "float16",
        "architecture": "LlamaForCausalLM",
        "parameters": 134_515_008,
        "folder": Path("out/é"),
        "files": (ExportedFile(name="model.gguf", size=1_234_567, sha256="cd" * 32),),
        "details": {"splitting rule": "gpt-2"},
        "verification": verification(),
    }
    return ModelExport(**{**given, **changes})


def front_matter(card):
    first, matter, _ = card.split("---\n", 2)
    assert first == ""
    return yaml.safe_load(matter)


@pytest.mark.parametrize(("format_", "library"), [("safetensors", "transformers"), ("gguf", "gguf"), ("onnx", "onnx")])
def test_the_front_matter_names_the_library(format_, library):
    found = front_matter(model_card(export(format=format_), "m", "run it", is_hub_id=False))
    assert found == {"library_name": library, "pipeline_tag": "text-generation", "tags": [format_, "shoal"]}


@pytest.mark.parametrize(
    ("source", "is_hub_id", "linked"),
    [
        ("a/b", True, "a/b"),
        ("a/b@main", True, "a/b"),
        ("a/b@refs/pr/1", True, "a/b"),
        ("a/b", False, None),
        ("a", True, None),
        ("./a/b", True, None),
        ("/a/b", True, None),
        ("a/b: c", True, None),
        ("a/b\ntags: x", True, None),
        ("é/b", True, None),
    ],
)
def test_only_an_id_of_the_hub_is_linked(source, is_hub_id, linked):
    card = model_card(export(source=source), "m", "run it", is_hub_id=is_hub_id)
    assert front_matter(card).get("base_model") == linked


def test_the_card_states_what_was_written_and_measured():
    card = model_card(export(), "tiny", "```console\n$ run it\n```", is_hub_id=True)
    for part in (
        "# tiny\n",
        "A `LlamaForCausalLM` of 134,515,008 parameters, exported by `shoal export` to gguf in float16",
        "```console\n$ run it\n```",
        "| largest difference of a logit | 2e-05 (tolerance 0.0025, 0.0001 of the largest logit, 25) |",
        "| compared on | 16 prompts, 1,234 tokens |",
        "| greedy text of 32 tokens | equal on 16 of 16 prompts |",
        "| tokens | equal on 20 of 20 texts |",
        f"| model.gguf | 1,234,567 | `{'cd' * 32}` |",
        f"its settings and weights: `{'ab' * 32}`",
    ):
        assert part in card
    assert "first differs" not in card
    assert "splits text by a rule" not in card
    order = ["## How to run it", "## What was verified", "## Files"]
    assert [card.index(title) for title in order] == sorted(card.index(title) for title in order)


def test_differences_are_listed_each():
    found = verification(
        greedy_differences=(DIFFERENCE,) * 5, token_differences=("don't", "a  b"), max_difference=0.001
    )
    card = model_card(export(verification=found), "m", "run", is_hub_id=False)
    assert "| greedy text of 32 tokens | equal on 11 of 16 prompts |" in card
    assert "| tokens | equal on 18 of 20 texts |" in card
    assert card.count("- `“Once upon a time”`, after 3 tokens: ' dog', not ' cat', 0.0123") == 5
    assert "a rule that gguf has no name for; the nearest, `gpt-2`" in card
    assert "- `“don't”`" in card


@pytest.mark.parametrize(
    ("difference", "logit", "relative", "passed"),
    [
        (0.0, 0.0, 1e-4, True),
        (0.0025, 25.0, 1e-4, True),
        (0.0026, 25.0, 1e-4, False),
        (1e-9, 0.0, 1e-4, False),
        (float("nan"), 25.0, 1e-4, False),
        (1.5, 25.0, 6e-2, True),
    ],
)
def test_a_verification_passes_within_the_tolerance(difference, logit, relative, passed):
    found = verification(max_difference=difference, max_logit=logit, relative_tolerance=relative)
    assert found.passed is passed
    assert found.tolerance == relative * logit
    assert found.to_dict()["passed"] is passed


def test_three_differences_are_printed_and_all_are_in_the_json():
    found = verification(greedy_differences=(DIFFERENCE,) * 5, token_differences=tuple("abcd"))
    lines = found.lines()
    assert lines[0] == (
        "logits: differ by 2e-05 at most on 16 prompts (1,234 tokens); the tolerance is 0.0025, 0.0001 of the largest "
        "logit"
    )
    assert lines[1] == "greedy text of 32 tokens: equal on 11 of 16 prompts"
    difference = "  “Once upon a time”: ' dog' for ' cat' after 3 equal tokens; the source prefers its own by 0.012"
    assert lines[2:5] == [difference] * 3
    assert lines[5] == "tokens: equal on 16 of 20 texts"
    assert lines[6:] == ["  other tokens for “a”", "  other tokens for “b”", "  other tokens for “c”"]
    record = json.loads(json.dumps(found.to_dict()))
    assert len(record["greedy_differences"]) == 5
    assert record["token_differences"] == list("abcd")


def test_one_prompt_is_one_prompt():
    text = str(verification(prompts=1, texts=1, positions=9))
    assert "on 1 prompt (9 tokens)" in text
    assert "equal on 1 of 1 prompt" in text
    assert text.endswith("tokens: equal on 1 of 1 text")


def test_an_export_prints_its_files_and_is_json():
    made = export(details={"opset": 18})
    first, second, *rest = str(made).splitlines()
    assert first == "HuggingFaceTB/SmolLM2-135M@main written to out/é as gguf (float16, opset 18)"
    assert second == f"model.gguf: 1,234,567 bytes, sha256 {'cd' * 32}"
    assert rest == made.verification.lines()
    record = json.loads(json.dumps(made.to_dict()))
    assert record["folder"] == "out/é"
    assert record["files"] == [{"name": "model.gguf", "size": 1_234_567, "sha256": "cd" * 32}]
    assert record["verification"]["tolerance"] == pytest.approx(0.0025)
