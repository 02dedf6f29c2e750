"""A llama2.c checkpoint becomes a Llama that computes what llama2.c computes."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
import torch

from shoal.errors import CorruptModelError, ModelError
from shoal.models import load_model, model_digest
from shoal.models.llama2c import Header, find_tokenizer, read_header

SMALL = Header(width=16, hidden=24, layers=2, heads=4, key_heads=2, vocabulary=20, context=32, tied=True)


def arrays_of(header: Header, seed: int = 0) -> dict[str, np.ndarray]:
    """Random weights in the order of the file."""
    generator = np.random.default_rng(seed)
    return {name: generator.normal(0, 0.3, shape).astype("<f4") for name, shape in header.shapes()}


def write_checkpoint(path, header: Header, arrays: dict[str, np.ndarray]) -> None:
    vocabulary = header.vocabulary if header.tied else -header.vocabulary
    numbers = (header.width, header.hidden, header.layers, header.heads, header.key_heads, vocabulary, header.context)
    path.write_bytes(struct.pack("<7i", *numbers) + b"".join(array.tobytes() for array in arrays.values()))


def write_tokenizer(path, size: int) -> None:
    """A tokenizer of single letters, in llama2.c's format."""
    texts = ["<unk>", "\n<s>\n", "\n</s>\n", *(chr(ord("a") + place) for place in range(size - 3))]
    path.write_bytes(
        struct.pack("<i", 7) + b"".join(struct.pack("<fi", 0.0, len(text)) + text.encode() for text in texts)
    )


def normed(x_TD: np.ndarray, weight_D: np.ndarray) -> np.ndarray:
    return x_TD / np.sqrt((x_TD**2).mean(-1, keepdims=True) + 1e-5) * weight_D


def turned(x_THE: np.ndarray) -> np.ndarray:
    """llama2.c's rotation: the numbers 2i and 2i+1 of a head turn together, by position / 10000^(2i / head size)."""
    length, _, size = x_THE.shape
    angles_TE = np.arange(length)[:, None] / 10000.0 ** (np.arange(0, size, 2) / size)
    cos_T1E, sin_T1E = np.cos(angles_TE)[:, None], np.sin(angles_TE)[:, None]
    even, odd = x_THE[..., 0::2], x_THE[..., 1::2]
    return np.stack([even * cos_T1E - odd * sin_T1E, even * sin_T1E + odd * cos_T1E], -1).reshape(x_THE.shape)


def logits_by_numpy(header: Header, arrays: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The forward pass of llama2.c's run.c, in float64."""
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    x_TD, length, size = weights["model.embed_tokens.weight"][ids], len(ids), header.head_size
    for layer in range(header.layers):
        h_TD = normed(x_TD, weights["input_layernorm"][layer])
        q_THE = turned((h_TD @ weights["self_attn.q_proj"][layer].T).reshape(length, header.heads, size))
        k_TKE = turned((h_TD @ weights["self_attn.k_proj"][layer].T).reshape(length, header.key_heads, size))
        v_TKE = (h_TD @ weights["self_attn.v_proj"][layer].T).reshape(length, header.key_heads, size)
        k_THE, v_THE = (np.repeat(x, header.heads // header.key_heads, 1) for x in (k_TKE, v_TKE))
        scores_HTS = np.einsum("the,she->hts", q_THE, k_THE) / math.sqrt(size)
        scores_HTS[:, np.triu(np.ones((length, length), bool), 1)] = -np.inf
        shares_HTS = np.exp(scores_HTS - scores_HTS.max(-1, keepdims=True))
        shares_HTS /= shares_HTS.sum(-1, keepdims=True)
        mixed_TD = np.einsum("hts,she->the", shares_HTS, v_THE).reshape(length, -1)
        x_TD = x_TD + mixed_TD @ weights["self_attn.o_proj"][layer].T
        h_TD = normed(x_TD, weights["post_attention_layernorm"][layer])
        gate_TF, up_TF = h_TD @ weights["mlp.gate_proj"][layer].T, h_TD @ weights["mlp.up_proj"][layer].T
        x_TD = x_TD + (gate_TF / (1 + np.exp(-gate_TF)) * up_TF) @ weights["mlp.down_proj"][layer].T
    head = weights.get("lm_head.weight", weights["model.embed_tokens.weight"])
    return normed(x_TD, weights["model.norm.weight"]) @ head.T


@pytest.fixture
def checkpoint(tmp_path):
    write_checkpoint(tmp_path / "small.bin", SMALL, arrays_of(SMALL))
    write_tokenizer(tmp_path / "tok20.bin", SMALL.vocabulary)
    return tmp_path / "small.bin"


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("key_heads", [1, 2, 4])
def test_the_logits_are_those_of_llama2c(tmp_path, tied, key_heads):
    header = Header(width=16, hidden=24, layers=2, heads=4, key_heads=key_heads, vocabulary=20, context=32, tied=tied)
    arrays = arrays_of(header)
    write_checkpoint(tmp_path / "small.bin", header, arrays)
    write_tokenizer(tmp_path / "tok20.bin", 20)
    ids = [1, 5, 9, 3, 3, 17, 11, 4]

    logits_TV = load_model(str(tmp_path / "small.bin"), device="cpu").model(torch.tensor([ids])).logits[0]

    np.testing.assert_allclose(logits_TV.detach().numpy(), logits_by_numpy(header, arrays, ids), atol=1e-4)


def test_the_real_checkpoint_computes_what_llama2c_computes(data_folder):
    path = data_folder / "stories260K" / "stories260K.bin"
    loaded = load_model(str(path), device="cpu")
    flat, arrays, start = np.fromfile(path, "<f4", offset=28), {}, 0
    for name, shape in read_header(path).shapes():
        arrays[name] = flat[start : start + math.prod(shape)].reshape(shape)
        start += math.prod(shape)
    ids = loaded.tokenizer("Once upon a time, there was a little girl named Lily.")["input_ids"]

    logits_TV = loaded.model(torch.tensor([ids])).logits[0].detach().numpy()

    np.testing.assert_allclose(logits_TV, logits_by_numpy(read_header(path), arrays, ids), atol=1e-4)


@pytest.mark.parametrize(
    ("name", "parameters", "most"),
    [("stories260K/stories260K.bin", 260_032, 5), ("babyllama105/model5000.bin", 936_448, 3)],
)
def test_a_real_checkpoint_is_not_perplexed_by_its_stories(data_folder, name, parameters, most):
    text = (data_folder / "tinystories" / "tinystories_v2_gpt4_train_head.txt").read_text(encoding="utf-8")
    stories = [story.strip() for story in text.split("<|endoftext|>")[:12]]
    loaded = load_model(str(data_folder / name), device="cpu")
    loss = tokens = 0.0
    for story in stories:
        ids_BL = torch.tensor([loaded.tokenizer(story)["input_ids"][:256]])
        with torch.no_grad():
            loss += float(loaded.model(ids_BL, labels=ids_BL).loss) * (ids_BL.shape[1] - 1)
        tokens += ids_BL.shape[1] - 1

    assert loaded.parameters == parameters
    assert math.exp(loss / tokens) < most


def test_the_tokenizer_beside_it_is_found_and_another_can_be_named(checkpoint, tmp_path):
    assert find_tokenizer(checkpoint).name == "tok20.bin"
    assert load_model(str(checkpoint)).tokenizer("ab")["input_ids"] == [1, 0, 3, 4]

    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "tok20.bin").rename(tmp_path / "elsewhere" / "letters.bin")

    with pytest.raises(ModelError, match=r"\?tokenizer=FILE"):
        load_model(str(checkpoint))
    named = load_model(f"{checkpoint}?tokenizer={tmp_path / 'elsewhere' / 'letters.bin'}")
    assert named.digest == model_digest(load_model(f"{checkpoint}?tokenizer={tmp_path}/elsewhere/letters.bin").model)


def test_of_two_tokenizers_one_must_be_named(checkpoint, tmp_path):
    write_tokenizer(tmp_path / "tok21.bin", 21)

    with pytest.raises(ModelError, match=r"tok20\.bin, tok21\.bin.*\?tokenizer=FILE"):
        load_model(str(checkpoint))


def test_a_tokenizer_that_is_not_there_is_named(checkpoint, tmp_path):
    with pytest.raises(ModelError, match=r"did you mean .*tok20\.bin"):
        load_model(f"{checkpoint}?tokenizer={tmp_path}/tok02.bin")


def test_a_checkpoint_that_is_cut_short_says_how_many_bytes_are_due(checkpoint):
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-4])

    with pytest.raises(CorruptModelError, match=f"has {len(whole) - 4} bytes; its header states {len(whole)}"):
        load_model(str(checkpoint))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "has 0 bytes"),
        (struct.pack("<7i", 0x616B3432, 1, 16, 24, 2, 4, 2), "version 1 or 2"),
        (struct.pack("<7i", 16, 24, 2, 4, 3, 20, 32), "sizes that no llama2.c checkpoint has"),
        (struct.pack("<7i", -16, 24, 2, 4, 2, 20, 32), "sizes that no llama2.c checkpoint has"),
        (struct.pack("<7i", 16, 24, 2, 4, 0, 20, 32), "sizes that no llama2.c checkpoint has"),
        (struct.pack("<7i", 16, 24, 2, 0, 2, 20, 32), "sizes that no llama2.c checkpoint has"),
        (b"a text file with the wrong suffix, long enough", "sizes that no|header states"),
    ],
)
def test_another_file_is_corrupt(tmp_path, content, says):
    (tmp_path / "small.bin").write_bytes(content)

    with pytest.raises(CorruptModelError, match=says) as caught:
        load_model(str(tmp_path / "small.bin"))
    assert "\n" not in str(caught.value)


def test_a_width_whose_bytes_look_like_a_pickle_is_no_pickle(tmp_path):
    header = Header(width=640, hidden=8, layers=1, heads=2, key_heads=2, vocabulary=4, context=2, tied=True)
    write_checkpoint(tmp_path / "wide.bin", header, arrays_of(header))

    assert read_header(tmp_path / "wide.bin") == header


def test_a_checkpoint_that_is_not_there_names_the_nearest(checkpoint):
    with pytest.raises(ModelError, match=r"did you mean .*small\.bin"):
        load_model(str(checkpoint.parent / "smal.bin"))
