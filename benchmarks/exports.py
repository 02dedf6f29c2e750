"""Exports run by those that they are for: llama.cpp and ONNX Runtime, and llama.cpp's converter beside shoal's.

For each model, 100 prompts: shoal's greedy text of 32 tokens, and that of llama.cpp (`xllamacpp`) on the exported GGUF,
once from shoal's token ids and once from the prompt as text, which llama.cpp tokenizes itself. ONNX Runtime reads
prompt and shoal's text once; its greedy text is the same if and only if each token is its argmax. The first difference
of each prompt is listed with the margin by which shoal's model prefers its own token. The tensors of the GGUF are
compared byte by byte with those that llama.cpp's ``convert_hf_to_gguf.py`` writes, in four number formats, and for a
small model of each architecture.

    python -m benchmarks.exports [--models stories260K bundled:stories bundled:searches SPEC] [--prompts 100]
                                 [--no-onnx] [--no-converter]

The converter is among the peers (`make bench-peers`). Each part is printed and appended to bench-out/exports.jsonl.
"""

from __future__ import annotations

import argparse
import json
import shutil
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks.processes import DATA, OUT, PEERS_PYTHON, ROOT, append_part, run_side, write_result
from shoal.models import LoadedModel, decode_greedily, load_model, save_model
from shoal.models.gguf import PROBE_TEXTS, write_gguf
from shoal.serving.export import export_model, held_out_prompts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

FOLDER = OUT / "exports"
STORIES = f"{DATA}/stories260K/stories260K.bin?tokenizer={DATA}/stories260K/tok512.model"
MODELS = ("stories260K", "bundled:stories", "bundled:searches")
TYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16", "q8_0": "q8_0"}
PROMPTS, NEW_TOKENS = 100, 32

SMALL = {
    "vocab_size": 1024, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 128, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "qwen2": {},
    "qwen3": {"head_dim": 16},
    "phi3": {"original_max_position_embeddings": 128, "sliding_window": None},
    "gpt2": {"n_inner": 256},
    "gpt_neox": {},
}

OLDER_NAMES = {"gpt2": {"n_ctx": 128}, "gpt_neox": {"rotary_pct": 0.25, "rotary_emb_base": 10000}}
"""Settings by the names of older releases of transformers, which the converter reads."""


def main() -> None:
    """Compare each model, and then the tensors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--prompts", type=int, default=PROMPTS)
    parser.add_argument("--no-onnx", action="store_true")
    parser.add_argument("--no-converter", action="store_true")
    options = parser.parse_args()
    prompts, result, compared = held_out_prompts(options.prompts), {}, {}
    for name in options.models:
        source = load_model(STORIES if name == "stories260K" else name, device="cpu")
        result[name] = compare_runtimes(name, source, prompts, onnx=not options.no_onnx)
        compared[name] = (source.model, source.tokenizer)
    if not options.no_converter:
        tokenizer = load_model("bundled:searches", device="cpu").tokenizer
        compared |= {
            f"fresh {kind}": (small_model(kind, settings), tokenizer) for kind, settings in ARCHITECTURES.items()
        }
        result["tensors"] = compare_tensors(compared)
    print(f"written to {write_result('exports', result)}")


def compare_runtimes(name: str, source: LoadedModel, prompts: Sequence[str], *, onnx: bool) -> dict[str, Any]:
    """The greedy text of both runtimes beside shoal's."""
    end = source.tokenizer.eos_token_id
    encoded = [source.tokenizer(prompt)["input_ids"] for prompt in prompts]
    continued = decode_greedily(source.model, encoded, [NEW_TOKENS] * len(encoded), end)
    found: dict[str, Any] = {"prompts": len(prompts), "new_tokens": NEW_TOKENS}
    folder = FOLDER / name.replace("/", "-").replace(":", "-")
    exported = export_model(source, to="gguf", out=folder / "gguf", prompts=prompts[:16])
    (file,) = (folder / "gguf").glob("*.gguf")
    print(f"{name}: GGUF verified, logits differ by {exported.verification.max_difference:.2g} at most", flush=True)
    server = LlamaServer(file)
    texts = [*prompts, *PROBE_TEXTS]
    found["token_differences"] = [text for text in texts if server.tokens(text) != source.tokenizer(text)["input_ids"]]
    print(f"  llama.cpp: other tokens for {len(found['token_differences'])} of {len(texts)} texts", flush=True)
    for way, given in (("ids", encoded), ("text", list(prompts))):
        found[f"llama.cpp from {way}"] = report(
            f"llama.cpp from {way}", source, prompts, encoded, continued, [server.continuation(one) for one in given]
        )
    if onnx:
        made = export_model(source, to="onnx", out=folder / "onnx", prompts=prompts, new_tokens=NEW_TOKENS)
        different = made.verification.greedy_differences
        print(
            f"  onnxruntime: equal on {len(prompts) - len(different)} of {len(prompts)}, logits differ by "
            f"{made.verification.max_difference:.2g} at most",
            *(f"    after {one.place} tokens, margin {one.margin:.2g}: {one.prompt!r}" for one in different),
            sep="\n",
            flush=True,
        )
        found["onnxruntime"] = made.verification.to_dict()
    append_part("exports", {"model": name} | found)
    return found


def report(
    what: str,
    source: LoadedModel,
    prompts: Sequence[str],
    encoded: Sequence[list[int]],
    continued: Sequence[list[int]],
    others: Sequence[list[int]],
) -> list[dict[str, Any]]:
    """Where continuations first differ, each with the margin."""
    end, differences = source.tokenizer.eos_token_id, []
    for prompt, prefix, ours, theirs in zip(prompts, encoded, continued, others, strict=True):
        # llama.cpp's answer ends before the end token, shoal's with it.
        ended = [*theirs, end] if len(theirs) < len(ours) and len(theirs) < NEW_TOKENS else theirs
        place = next((at for at, (one, other) in enumerate(zip(ours, ended, strict=False)) if one != other), None)
        if place is None:
            continue
        with torch.inference_mode():
            logits = source.model(torch.tensor([[*prefix, *ours[:place]]])).logits[0, -1]
        margin = float(logits[ours[place]] - logits[ended[place]])
        differences.append({"prompt": prompt, "place": place, "margin": margin})
    print(
        f"  {what}: equal on {len(prompts) - len(differences)} of {len(prompts)}",
        *(f"    after {one['place']} tokens, margin {one['margin']:.2g}: {one['prompt']!r}" for one in differences),
        sep="\n",
        flush=True,
    )
    return differences


class LlamaServer:
    """llama.cpp in this process, by its HTTP interface on loopback, which gives token ids."""

    def __init__(self, path: Path) -> None:
        import xllamacpp

        options = xllamacpp.CommonParams()
        options.model.path = str(path)
        options.n_ctx, options.n_parallel, options.cpuparams.n_threads = 1024, 1, 1
        options.warmup, options.verbosity = False, -1
        # By default keys and values are cached in float16, which moves logits by a thousandth.
        options.cache_type_k = options.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        options.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._server = xllamacpp.Server(options)
        self._address = self._server.listening_address

    def tokens(self, text: str) -> list[int]:
        """The ids of a text, with what the file puts around it."""
        answer = self._ask("tokenize", {"content": text, "add_special": True, "parse_special": False})
        return list(answer["tokens"])

    def continuation(self, prompt: str | list[int]) -> list[int]:
        """Greedy ids after a prompt, without the end token; nothing is read from an earlier prompt's cache."""
        settings = {"n_predict": NEW_TOKENS, "temperature": 0.0, "samplers": ["top_k"], "top_k": 1}
        request = {"prompt": prompt, "return_tokens": True, "cache_prompt": False} | settings
        return list(self._ask("completion", request)["tokens"])

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._address}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            read: dict[str, Any] = json.load(answer)
        return read


def compare_tensors(models: Mapping[str, tuple[PreTrainedModel, PreTrainedTokenizerFast]]) -> dict[str, Any]:
    """The tensors of shoal's files beside those of llama.cpp's converter: names, shapes, types and bytes."""
    folder = FOLDER / "converter"
    shutil.rmtree(folder, ignore_errors=True)
    jobs = []
    for number, (model, tokenizer) in enumerate(models.values()):
        own = folder / str(number)
        save_model(model, tokenizer, own / "model")
        settings = json.loads((own / "model" / "config.json").read_text())
        settings |= OLDER_NAMES.get(model.config.model_type, {})
        (own / "model" / "config.json").write_text(json.dumps(settings))
        for ours, theirs in TYPES.items():
            write_gguf(model, tokenizer, own / f"shoal-{theirs}.gguf", name="model", number_format=ours)
            jobs.append([str(own / "model"), str(own / f"llama-cpp-{theirs}.gguf"), theirs])
    # One process for all: most of its time is the import of torch.
    run_side([PEERS_PYTHON, ROOT / "benchmarks" / "sides" / "gguf_converter_side.py", json.dumps(jobs)])
    return {name: differing_tensors(name, folder / str(number)) for number, name in enumerate(models)}


def differing_tensors(name: str, folder: Path) -> dict[str, Any]:
    """The tensors that are not the same in the two files of each number format."""
    found: dict[str, Any] = {}
    for ours, theirs in TYPES.items():
        one, other = (tensors_of(folder / f"{side}-{theirs}.gguf") for side in ("shoal", "llama-cpp"))
        different = sorted(key for key in {*one, *other} if not same(one.get(key), other.get(key)))
        found[ours] = {"tensors": len(one), "different": different}
    equal = (f"{kind} {part['tensors'] - len(part['different'])} of {part['tensors']}" for kind, part in found.items())
    print(f"{name}: tensors equal to those of llama.cpp's converter: {', '.join(equal)}", flush=True)
    append_part("exports", {"model": name, "tensors": found})
    return found


def tensors_of(path: Path) -> dict[str, Any]:
    """The tensors of a file by name."""
    from gguf import GGUFReader

    return {tensor.name: tensor for tensor in GGUFReader(path).tensors}


def same(one: Any, other: Any) -> bool:
    """Whether two tensors have one shape, one type and the same bytes."""
    if one is None or other is None:
        return False
    return (
        one.tensor_type == other.tensor_type
        and list(one.shape) == list(other.shape)
        and np.array_equal(one.data.view(np.uint8), other.data.view(np.uint8))
    )


def small_model(kind: str, settings: dict[str, Any]) -> PreTrainedModel:
    """A model of an architecture with fresh weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = SMALL | ({"num_key_value_heads": 4} if kind in ("gpt2", "gpt_neox") else {})
    torch.manual_seed(0)
    made: PreTrainedModel = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **(sizes | settings)))
    return made.eval()


if __name__ == "__main__":
    main()
