"""A GGUF file that shoal writes holds the model: read back here, and run by llama.cpp itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from gguf_files import LLAMA3, small_model

from shoal.errors import ModelError, UnknownNameError
from shoal.models import PROBE_TEXTS
from shoal.models.gguf import read_gguf, writable_model_types, write_gguf
from tiny_models import byte_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

gguf = pytest.importorskip("gguf", reason="the gguf extra is not installed")

MISTRAL = {"sliding_window": None}
PHI3 = {"original_max_position_embeddings": 128, "resid_pdrop": 0.0, "sliding_window": None}
FACTORS = {"short_factor": [1.0, 1.1, 1.3, 2.0], "long_factor": [1.0, 2.0, 3.0, 4.0]}
LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 64} | FACTORS

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 32}

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama, tied": ("llama", {"tie_word_embeddings": True}),
    "llama, biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "llama, wide heads": ("llama", {"head_dim": 16}),
    "llama, linear": ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}}),
    "llama, llama3": ("llama", {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0} | LLAMA3}),
    "llama, yarn": ("llama", {"rope_parameters": YARN}),
    "llama, yarn stated": ("llama", {"rope_parameters": YARN | {"attention_factor": 1.5}}),
    "llama, yarn of two scales": ("llama", {"rope_parameters": YARN | {"mscale": 2.0, "mscale_all_dim": 0.5}}),
    "mistral": ("mistral", MISTRAL),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"head_dim": 16}),
    "phi3": ("phi3", PHI3),
    "phi3, longrope": ("phi3", PHI3 | {"original_max_position_embeddings": 64, "rope_parameters": LONGROPE}),
    "gpt2": ("gpt2", {}),
    "gpt_neox": ("gpt_neox", {}),
}


def logits(model: PreTrainedModel, length: int = 24) -> torch.Tensor:
    ids = torch.randint(0, 256, (1, length), generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        found: torch.Tensor = model(ids).logits[0]
    return found


def write(path: Path, model: PreTrainedModel, **options: Any) -> Path:
    write_gguf(model, byte_tokenizer(), path, name="small", **options)
    return path


def test_every_architecture_that_can_be_written_is_tried() -> None:
    assert {kind for kind, _ in MODELS.values()} == set(writable_model_types())


@pytest.mark.parametrize("case", MODELS)
def test_a_written_model_gives_the_same_logits_when_it_is_read_again(case: str, tmp_path: Path) -> None:
    kind, settings = MODELS[case]
    model = small_model(kind, **settings)
    read, _ = read_gguf(write(tmp_path / "small.gguf", model))
    assert torch.allclose(logits(read), logits(model), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "case",
    ["llama", "llama, tied", "llama, llama3", "llama, yarn stated", "qwen2", "qwen3", "phi3", "gpt2", "gpt_neox"],
)
def test_llama_cpp_continues_a_text_as_the_model_does(case: str, tmp_path: Path) -> None:
    xllamacpp = pytest.importorskip("xllamacpp", reason="llama.cpp is not installed: pip install xllamacpp")
    kind, settings = MODELS[case]
    model, tokenizer = small_model(kind, **settings), byte_tokenizer()
    options = xllamacpp.CommonParams()
    options.model.path = str(write(tmp_path / "small.gguf", model))
    options.n_ctx, options.cpuparams.n_threads, options.n_parallel, options.warmup = 64, 1, 1, False
    options.verbosity = -1
    server = xllamacpp.Server(options)
    # Bytes of longer characters are left out of an answer until the character is whole.
    banned = [index for text, index in tokenizer.get_vocab().items() if not text.isascii()] + [256, 257]
    request = {"prompt": "Once upon a time", "n_predict": 12, "temperature": 0.0, "n_probs": 1}
    answer = server.handle_completions(request | {"logit_bias": [[index, False] for index in banned]})
    found = [token["id"] for token in answer["choices"][0]["logprobs"]["content"]]
    assert len(found) == 12
    ids = tokenizer("Once upon a time")["input_ids"]
    for token in found:
        with torch.inference_mode():
            last = model(torch.tensor([ids])).logits[0, -1].numpy().copy()
        last[banned] = -np.inf
        # llama.cpp adds in another order, so that near-ties may go either way.
        assert last[token] >= last.max() - 1e-3
        ids.append(token)


@pytest.mark.parametrize(
    ("number_format", "stored", "tolerance"),
    [("float16", "F16", 2e-3), ("bfloat16", "BF16", 2e-2), ("q8_0", "Q8_0", 2e-2)],
)
def test_matrices_are_stored_in_the_number_format_and_the_rest_in_float32(
    number_format: str, stored: str, tolerance: float, tmp_path: Path
) -> None:
    model = small_model("llama")
    path = write(tmp_path / "small.gguf", model, number_format=number_format)
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert {kinds[name] for name in kinds if "norm" in name} == {"F32"}
    assert {kinds[name] for name in kinds if "norm" not in name} == {stored}
    read, _ = read_gguf(path)
    for (name, ours), theirs in zip(model.state_dict().items(), read.state_dict().values(), strict=True):
        assert (ours - theirs).abs().max() <= tolerance * ours.abs().max(), name


def test_rows_that_no_block_divides_are_stored_in_float16(tmp_path: Path) -> None:
    path = write(tmp_path / "small.gguf", small_model("llama", intermediate_size=40), number_format="q8_0")
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert (kinds["blk.0.ffn_down.weight"], kinds["blk.0.ffn_up.weight"]) == ("F16", "Q8_0")


def test_the_rows_of_gpt_2_are_those_of_the_file(tmp_path: Path) -> None:
    """Its products keep their inputs in the rows, and are stored transposed."""
    model = small_model("gpt2", hidden_size=40, num_attention_heads=2)
    path = write(tmp_path / "small.gguf", model, number_format="q8_0")
    kinds = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(path).tensors}
    assert (kinds["blk.0.ffn_down.weight"], kinds["blk.0.ffn_up.weight"]) == ("Q8_0", "F16")
    read, _ = read_gguf(path)
    assert (logits(read) - logits(model)).abs().max() < 0.05 * logits(model).abs().max()


def test_a_tied_head_is_stored_once(tmp_path: Path) -> None:
    path = write(tmp_path / "small.gguf", small_model("llama", tie_word_embeddings=True))
    assert "output.weight" not in {tensor.name for tensor in gguf.GGUFReader(path).tensors}


def test_the_tokenizer_comes_back_with_its_special_tokens_and_its_chat_template(tmp_path: Path) -> None:
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}<end>{% endfor %}"
    found = write_gguf(small_model("llama"), tokenizer, tmp_path / "small.gguf", name="small")
    _, read = read_gguf(tmp_path / "small.gguf")
    assert (found.rule, found.differing, found.probes) == ("gpt-2", (), len(PROBE_TEXTS))
    assert (read.eos_token, read.pad_token, read.chat_template) == ("<end>", "<pad>", tokenizer.chat_template)
    for text in (*PROBE_TEXTS, "a<end>b"):
        assert read(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_sentencepiece_comes_back_with_its_beginning_token(data_folder: Path, tmp_path: Path) -> None:
    from shoal.text import load_sentencepiece_tokenizer

    tokenizer = load_sentencepiece_tokenizer(data_folder / "stories260K" / "tok512.bin")
    model = small_model("llama", vocab_size=520)
    found = write_gguf(model, tokenizer, tmp_path / "small.gguf", name="small")
    _, read = read_gguf(tmp_path / "small.gguf")
    assert (found.rule, found.differing) == ("sentencepiece", ())
    assert read("Once upon a time")["input_ids"] == tokenizer("Once upon a time")["input_ids"]
    assert read("x")["input_ids"][0] == tokenizer.bos_token_id
    # Embeddings without a token get an unused one, so that the sizes fit.
    assert len(read) == 520


def with_pre_tokenizer(pattern: str) -> PreTrainedTokenizerFast:
    from tokenizers import Regex, pre_tokenizers

    tokenizer = byte_tokenizer()
    cut = pre_tokenizers.Split(Regex(pattern), "isolated")
    bytes_only = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, bytes_only])
    return tokenizer


def test_a_rule_that_llama_cpp_does_not_know_is_named_with_the_texts_that_differ(tmp_path: Path) -> None:
    # Every blank alone, so that the tokens of two and four blanks are never used.
    found = write_gguf(small_model("llama"), with_pre_tokenizer(r"\s"), tmp_path / "small.gguf", name="small")
    assert any("two spaces" in text for text in found.differing)
    assert len(found.differing) < found.probes


def unigram() -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    model = models.Unigram([("<unk>", 0.0), ("a", -1.0), ("<end>", -2.0)], unk_id=0, byte_fallback=False)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(model), eos_token="<end>")


def framed() -> PreTrainedTokenizerFast:
    from tokenizers import processors

    tokenizer = byte_tokenizer()
    twice = processors.TemplateProcessing(single="<pad> <pad> $A", special_tokens=[("<pad>", 257)])
    tokenizer.backend_tokenizer.post_processor = twice
    return tokenizer


@pytest.mark.parametrize(
    ("model", "tokenizer", "named"),
    [
        (("gpt_neo", {"num_layers": 2, "attention_types": [[["global"], 2]]}), byte_tokenizer, "supported: gpt2"),
        (("mistral", {"sliding_window": 16}), byte_tokenizer, "window of 16 tokens"),
        (
            ("llama", {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}}),
            byte_tokenizer,
            "of the type 'dynamic'",
        ),
        (("llama", {}), unigram, "kind Unigram"),
        (("llama", {}), framed, "other tokens around a text"),
    ],
)
def test_what_gguf_cannot_hold_is_named(
    model: tuple[str, dict[str, Any]], tokenizer: Any, named: str, tmp_path: Path
) -> None:
    kind, settings = model
    if kind == "gpt_neo":
        from transformers import GPTNeoConfig, GPTNeoForCausalLM

        made: Any = GPTNeoForCausalLM(GPTNeoConfig(vocab_size=260, hidden_size=32, num_heads=4, **settings))
    else:
        made = small_model(kind, **settings)
    with pytest.raises(ModelError, match=named):
        write_gguf(made, tokenizer(), tmp_path / "small.gguf", name="small")
    assert not (tmp_path / "small.gguf").exists()


def test_an_unknown_number_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="unknown number format of GGUF 'q8'; did you mean 'q8_0'"):
        write(tmp_path / "small.gguf", small_model("llama"), number_format="q8")


def test_merges_are_written_as_llama_cpp_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "small.gguf", small_model("llama"))
    merges = gguf.GGUFReader(tmp_path / "small.gguf").fields["tokenizer.ggml.merges"].contents()
    assert merges == ["Ġ Ġ", "ĠĠ ĠĠ"]
