"""An export holds the model of its source, states it in its card, and is whole or not there."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.cli.main import main
from shoal.errors import MissingExtraError, ModelError, UnknownNameError, UsageError
from shoal.models import LoadedModel, load_model
from shoal.serving.export import ModelExport, export_format_names, export_model, held_out_prompts
from shoal.serving.export.formats.base import ExportFormat, ExportRequest
from shoal.serving.export.formats.safetensors import SafetensorsFormat

PROMPTS = ("Once upon a time", "The dog was 3 years old, and")


@pytest.fixture(scope="module")
def source() -> LoadedModel:
    return load_model("bundled:searches", device="cpu")


@pytest.fixture(scope="module")
def gguf_export(source: LoadedModel, tmp_path_factory: pytest.TempPathFactory) -> ModelExport:
    pytest.importorskip("gguf", reason="the gguf extra is not installed")
    out = tmp_path_factory.mktemp("exports") / "searches-gguf"
    return export_model(source, to="gguf", out=out, prompts=PROMPTS, new_tokens=8)


def test_a_gguf_export_is_loaded_again_with_the_weights_of_its_source(
    source: LoadedModel, gguf_export: ModelExport, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHOAL_CACHE", str(tmp_path))
    (file,) = gguf_export.files
    assert file.name == "searches-F32.gguf"
    assert load_model(str(gguf_export.folder / file.name), device="cpu").digest == source.digest
    found = gguf_export.verification
    assert (found.max_difference, found.greedy_differences, found.token_differences) == (0.0, (), ())
    assert (found.prompts, found.passed) == (2, True)


def test_the_folder_is_a_repository_of_the_hub_with_a_card_that_it_can_read(gguf_export: ModelExport) -> None:
    from huggingface_hub import ModelCard

    folder = gguf_export.folder
    assert {path.name for path in folder.iterdir()} >= {
        "README.md", "config.json", "export.json", "searches-F32.gguf", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    card = ModelCard((folder / "README.md").read_text(encoding="utf-8"))
    assert (card.data.library_name, card.data.pipeline_tag) == ("gguf", "text-generation")
    assert "equal on 2 of 2 prompts" in card.text
    assert gguf_export.files[0].sha256 in card.text
    assert "llama-cli -m searches-gguf/searches-F32.gguf" in card.text
    record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert record == json.loads(json.dumps(gguf_export.to_dict()))


def test_half_precision_is_within_its_tolerance_and_not_equal(source: LoadedModel, tmp_path: Path) -> None:
    made = export_model(source, to="safetensors", out=tmp_path / "out", dtype="bfloat16", prompts=PROMPTS, new_tokens=8)
    assert 0 < made.verification.max_difference <= made.verification.tolerance
    assert str(next(source.model.parameters()).dtype) == "torch.float32"
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "bfloat16"


@pytest.mark.slow
def test_an_onnx_graph_takes_any_number_of_rows_and_tokens(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="the onnx extra is not installed")
    pytest.importorskip("onnxscript", reason="the onnx extra is not installed")
    from transformers import LlamaConfig, LlamaForCausalLM

    from shoal.models import load_tokenizer, save_model

    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=1024, max_position_embeddings=64, eos_token_id=0, **sizes)
    save_model(LlamaForCausalLM(config), load_tokenizer("bundled:searches"), tmp_path / "small")
    made = export_model(str(tmp_path / "small"), to="onnx", out=tmp_path / "out", prompts=PROMPTS, new_tokens=8)
    assert made.verification.passed
    assert made.verification.greedy_differences == ()
    session = onnxruntime.InferenceSession(str(tmp_path / "out" / "onnx" / "model.onnx"))
    model = load_model(str(tmp_path / "small"), device="cpu").model
    ids_BL = np.arange(39, dtype=np.int64).reshape(3, 13)
    mask_BL = np.ones_like(ids_BL)
    mask_BL[1, 5:] = 0
    (found_BLV,) = session.run(["logits"], {"input_ids": ids_BL, "attention_mask": mask_BL})
    import torch

    with torch.inference_mode():
        whole, short = (model(torch.from_numpy(ids)).logits.numpy() for ids in (ids_BL[:1], ids_BL[1:2, :5]))
    np.testing.assert_allclose(found_BLV[0], whole[0], atol=1e-5)
    np.testing.assert_allclose(found_BLV[1, :5], short[0], atol=1e-5)


class _Broken(ExportFormat):
    """Writes other weights than it was given, and a tokenizer without its end."""

    name = "broken"
    dtypes = ("float32",)
    read = SafetensorsFormat.read
    usage = SafetensorsFormat.usage
    scale = 1.1

    @classmethod
    def write(cls, request: ExportRequest, folder: Path) -> dict[str, Any]:
        other = load_model("bundled:searches", device="cpu")
        weight = other.model.get_input_embeddings().weight
        weight.data = weight.data * cls.scale
        return SafetensorsFormat.write(dataclasses.replace(request, source=other), folder)


@pytest.fixture
def broken() -> Iterator[type[_Broken]]:
    yield _Broken
    _Broken.scale = 1.1


def test_a_written_model_that_differs_is_refused_and_nothing_is_left(
    source: LoadedModel, broken: type[_Broken], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=r"differs from bundled:searches by .* more than the tolerance"):
        export_model(source, to=broken.name, out=tmp_path / "out", prompts=PROMPTS, new_tokens=8)
    assert list(tmp_path.iterdir()) == []


def test_a_weight_that_is_no_number_fails_the_comparison(
    source: LoadedModel, broken: type[_Broken], tmp_path: Path
) -> None:
    broken.scale = float("nan")
    with pytest.raises(ModelError):
        export_model(source, to=broken.name, out=tmp_path / "out", prompts=PROMPTS, new_tokens=8)
    assert list(tmp_path.iterdir()) == []


def test_greedy_text_that_differs_is_listed_with_the_margin(source: LoadedModel) -> None:
    from shoal.serving.export.formats.torch_model import TorchModel
    from shoal.serving.export.verification import verify_export

    other = load_model("random:bundled:searches", device="cpu")
    found = verify_export(
        source, TorchModel(other.model, source.tokenizer), PROMPTS, probes=(), new_tokens=8, relative_tolerance=1e-4
    )
    assert not found.passed
    assert [one.prompt for one in found.greedy_differences] == list(PROMPTS)
    first = found.greedy_differences[0]
    assert (first.place, first.margin > 0, first.expected != first.found) == (0, True, True)
    assert f"{first.found!r} for {first.expected!r} after 0 equal tokens" in str(found)


@pytest.mark.parametrize("name", ["notes.txt", "export.json"])
@pytest.mark.parametrize("text", ["mine", "{}", '{"format": "pdf"}', "[1]"])
def test_a_folder_with_other_files_is_left_alone(source: LoadedModel, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match="holds something else than an export"):
        export_model(source, to="safetensors", out=tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, text)]


@pytest.mark.parametrize(
    ("options", "error", "named"),
    [
        ({"to": "ggml"}, UnknownNameError, "unknown format of export 'ggml'; did you mean 'gguf'"),
        ({"to": "onnx", "dtype": "q8_0"}, UnknownNameError, "unknown number format of onnx 'q8_0'"),
        ({"to": "gguf", "prompts": ()}, UsageError, "compare nothing"),
        ({"to": "gguf", "new_tokens": 2048}, UsageError, "2048 new ones have no room"),
        ({"to": "gguf", "model": "oracle?p=0.3"}, UsageError, "no single model"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    options: dict[str, Any], error: type[Exception], named: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=named):
        export_model(**({"model": "bundled:searches", "out": tmp_path / "out"} | options))
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_names_the_pip_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'shoal\[onnx\]'"):
        export_model("bundled:searches", to="onnx", out=tmp_path / "out")


def test_held_out_prompts_are_the_same_each_time() -> None:
    assert held_out_prompts(9) == held_out_prompts(9)
    assert len(set(held_out_prompts(40))) == 40


def test_the_command_prints_what_was_verified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", "--model", "bundled:searches", "--to", "safetensors", "--new-tokens", "4"]
    (tmp_path / "prompts.txt").write_text("Once upon a time\n", encoding="utf-8")
    main([*words, "--prompts", str(tmp_path / "prompts.txt"), "--out", str(tmp_path / "out")])
    shown = capsys.readouterr().out
    assert "logits: differ by 0 at most on 1 prompt" in shown
    assert "greedy text of 4 tokens: equal on 1 of 1 prompt" in shown
    main([*words, "--prompts", str(tmp_path / "prompts.txt"), "--out", str(tmp_path / "out"), "--json"])
    assert json.loads(capsys.readouterr().out)["verification"]["passed"] is True


def test_each_format_is_offered_by_the_command() -> None:
    assert set(export_format_names()) - {"broken"} == {"safetensors", "gguf", "onnx"}
