"""Sentence vectors are those of sentence-transformers, computed sentence by sentence from its definitions."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from shoal.errors import CorruptModelError, DataError, ModelError, UnsafeModelError
from shoal.models import SentenceEncoder

WORDS = ["the", "cat", "dog", "sat", "ran", "on", "mat", "far", "away", ".", "The"]
SENTENCES = ["the cat sat .", "the dog ran far away on the mat .", "cat", "", "  the cat sat .\n", "zebra"]
TRANSFORMER = "sentence_transformers.models.Transformer"
POOLING = "sentence_transformers.models.Pooling"
NORMALIZE = "sentence_transformers.models.Normalize"
POOLINGS = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"]


def bert_tokenizer(*, framed=True, **settings):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({name: id_ for id_, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if framed:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        **settings,
    )  # fmt: skip


def bert():
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=16, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
        max_position_embeddings=32,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return BertModel(config).eval()


def write_json(path, value):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))


def write_modules(folder, *modules):
    write_json(folder / "modules.json", [{"idx": 0, "type": kind, "path": path} for kind, path in modules])


def write_pooling(folder, *modes):
    write_json(folder / "1_Pooling" / "config.json", {f"pooling_mode_{mode}": mode in modes for mode in POOLINGS})


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder that pools by the mean."""
    folder = tmp_path_factory.mktemp("encoder") / "encoder"
    bert().save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    write_modules(folder, (TRANSFORMER, ""), (POOLING, "1_Pooling"))
    write_pooling(folder, "mean_tokens")
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    """A copy, to be changed."""
    return shutil.copytree(saved, tmp_path / "encoder")


def states(text):
    """The last hidden states of a sentence alone (L × D)."""
    with torch.inference_mode():
        return bert()(**bert_tokenizer()(text.strip(), return_tensors="pt")).last_hidden_state[0]


BY_DEFINITION = {
    "cls_token": lambda states_LD: states_LD[0],
    "mean_tokens": lambda states_LD: states_LD.mean(0),
    "max_tokens": lambda states_LD: states_LD.max(0).values,
    "mean_sqrt_len_tokens": lambda states_LD: states_LD.sum(0) / len(states_LD) ** 0.5,
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_pooling_gives_what_it_gives_a_sentence_alone(folder, pooling):
    write_pooling(folder, pooling)
    found = SentenceEncoder(folder).encode(SENTENCES)
    assert found.dtype == np.float32
    wanted = np.stack([BY_DEFINITION[pooling](states(sentence)).numpy() for sentence in SENTENCES])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_vectors_are_scaled_to_length_1_where_the_folder_says_so(folder):
    plain = SentenceEncoder(folder).encode(SENTENCES)
    write_modules(folder, (TRANSFORMER, ""), (POOLING, "1_Pooling"), (NORMALIZE, "2_Normalize"))
    scaled = SentenceEncoder(folder).encode(SENTENCES)
    np.testing.assert_allclose(scaled, plain / np.linalg.norm(plain, axis=1, keepdims=True), atol=1e-6)


def test_a_sentence_has_its_vector_in_any_company(saved):
    encoder = SentenceEncoder(saved)
    # More than a batch of 4,096 tokens.
    many = [" ".join(WORDS[: 1 + place % 10] * 2) for place in range(400)]
    together = encoder.encode(many)
    for place in (0, 9, 250, 399):
        np.testing.assert_allclose(together[place], encoder.encode([many[place]])[0], atol=1e-5)
    assert encoder.encode([]).shape == (0, 8)


@pytest.mark.parametrize(
    ("stated", "tokenizer_room", "length"),
    [
        ({"max_seq_length": 5}, None, 5),
        ({"max_seq_length": None}, 7, 7),
        ({}, 7, 7),
        ({}, 1000, 32),
        ({"max_seq_length": 9}, 7, 9),
    ],
)
def test_as_much_of_a_sentence_is_read_as_the_folder_states(folder, stated, tokenizer_room, length):
    if tokenizer_room is not None:
        bert_tokenizer(model_max_length=tokenizer_room).save_pretrained(folder)
    write_json(folder / "sentence_bert_config.json", stated)
    encoder = SentenceEncoder(folder)
    # Two tokens stand around the words.
    cut, whole = (" ".join((WORDS * 4)[:count]) for count in (length - 2, 40))
    np.testing.assert_allclose(*encoder.encode([whole, cut]), atol=1e-6)
    assert not np.allclose(*encoder.encode([whole, " ".join((WORDS * 4)[: length - 3])]), atol=1e-4)


def test_a_prompt_that_the_folder_puts_before_every_sentence_is_read(folder):
    plain = SentenceEncoder(folder)
    settings = folder / "config_sentence_transformers.json"
    write_json(settings, {"prompts": {"query": "the dog "}, "default_prompt_name": None})
    assert SentenceEncoder(folder).digest == plain.digest
    write_json(settings, {"prompts": {"query": "the dog "}, "default_prompt_name": "query"})
    prompted = SentenceEncoder(folder)
    np.testing.assert_array_equal(prompted.encode([" sat ."]), plain.encode(["the dog  sat ."]))
    assert prompted.digest != plain.digest
    write_json(settings, {"prompts": {}, "default_prompt_name": "query"})
    with pytest.raises(ModelError, match="names the prompt 'query'"):
        SentenceEncoder(folder)
    write_json(settings, {"prompts": {"query": "the "}, "default_prompt_name": "query"})
    pooling = folder / "1_Pooling" / "config.json"
    write_json(pooling, json.loads(pooling.read_text()) | {"include_prompt": False})
    with pytest.raises(ModelError, match="without the tokens of the prompt"):
        SentenceEncoder(folder)


def test_sentences_are_put_in_lower_case_where_the_folder_says_so(folder):
    plain = SentenceEncoder(folder)
    assert not np.allclose(*plain.encode(["The cat", "the cat"]), atol=1e-4)
    write_json(folder / "sentence_bert_config.json", {"do_lower_case": True})
    lower = SentenceEncoder(folder)
    np.testing.assert_array_equal(*lower.encode(["The CAT", "the cat"]))
    # The digest is the key of cached vectors.
    assert lower.digest != plain.digest


def test_a_transformer_in_a_folder_of_its_own_is_found(saved, folder):
    inner = folder / "0_Transformer"
    inner.mkdir()
    for path in list(folder.iterdir()):
        if path.is_file() and path.name != "modules.json":
            path.rename(inner / path.name)
    write_json(inner / "sentence_bert_config.json", {"max_seq_length": 4})
    write_modules(folder, (TRANSFORMER, "0_Transformer"), (POOLING, "1_Pooling"))
    found = SentenceEncoder(str(folder)).encode(["the cat sat on the mat", "the cat"])
    np.testing.assert_allclose(found, SentenceEncoder(saved).encode(["the cat"] * 2), atol=1e-6)


def test_a_sentence_without_tokens_has_no_vector(folder):
    bert_tokenizer(framed=False).save_pretrained(folder)
    encoder = SentenceEncoder(folder)
    assert np.isfinite(encoder.encode(["cat"])).all()
    with pytest.raises(DataError, match=r"the sentence ' ' has no tokens"):
        encoder.encode(["cat", " "])


def drop_pooling(folder):
    write_modules(folder, (TRANSFORMER, ""))


def drop_transformer(folder):
    write_modules(folder, (POOLING, "1_Pooling"))


def unknown_module(folder):
    write_modules(folder, (TRANSFORMER, ""), (POOLING, "1_Pooling"), ("sentence_transformers.models.Dense", "2_Dense"))


def leave_folder(folder):
    write_modules(folder, (TRANSFORMER, ""), (POOLING, "../elsewhere"))


def leave_folder_for_weights(folder):
    write_modules(folder, (TRANSFORMER, "../elsewhere"), (POOLING, "1_Pooling"))


def no_list(folder):
    write_json(folder / "modules.json", {"type": POOLING})


def no_mode(folder):
    write_pooling(folder)


def two_modes(folder):
    write_pooling(folder, "cls_token", "max_tokens")


def no_modules(folder):
    (folder / "modules.json").unlink()


def cut_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def pickled_weights(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def fewer_weights(folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.bias"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (no_modules, ModelError, "has no modules.json"),
        (no_list, CorruptModelError, "does not hold a list of JSON objects"),
        (drop_pooling, ModelError, "names no Pooling; known modules are Transformer, Pooling, Normalize"),
        (drop_transformer, ModelError, "names no Transformer"),
        (unknown_module, ModelError, "names Dense; known modules"),
        (leave_folder, ModelError, "'../elsewhere', which does not lie in"),
        (leave_folder_for_weights, ModelError, "'../elsewhere', which does not lie in"),
        (no_mode, ModelError, "pools by nothing known"),
        (two_modes, ModelError, r"pools by \['cls_token', 'max_tokens'\]"),
        (cut_weights, CorruptModelError, "is not a whole safetensors file"),
        (pickled_weights, UnsafeModelError, "only as pickles"),
        (fewer_weights, CorruptModelError, "lack encoder.layer.1.output.dense.bias"),
    ],
)
def test_folders_that_give_no_vectors_are_refused_in_one_line(folder, change, kind, message):
    change(folder)
    with pytest.raises(kind, match=message) as fault:
        SentenceEncoder(folder)
    assert "\n" not in str(fault.value)


def test_the_pooler_that_no_vector_needs_may_be_absent(saved, folder):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    kept = {name: weight for name, weight in weights.items() if "pooler" not in name}
    assert len(kept) < len(weights)
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    found, wanted = (SentenceEncoder(one).encode(SENTENCES) for one in (folder, saved))
    np.testing.assert_array_equal(found, wanted)


def test_a_folder_that_is_not_there_is_no_encoder(tmp_path):
    with pytest.raises(ModelError):
        SentenceEncoder(tmp_path / "none")
