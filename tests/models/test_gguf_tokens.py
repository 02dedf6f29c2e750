"""The tokenizer of a GGUF file gives the ids of the tokenizer that it was written from."""

from __future__ import annotations

import pytest
import sentencepiece

from shoal.errors import ModelError
from shoal.models import load_model, load_tokenizer

pytest.importorskip("gguf", reason="the gguf extra is not installed")

from gguf_files import small_model, write_byte_level, write_gguf

TEXTS = ["the cat's 1234 mats", "  two  spaces", "Über café naïve\n\nnew", "x", "a<end>b", "cafe\u0301"]
CORPUS = ["the cat sat on the mat with cats and 1234 mats in the café über"] * 4
_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
_LLAMA3 = rf"{_WORDS}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN2 = _LLAMA3.replace("{1,3}", "")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOAL_CACHE", str(tmp_path / "cache"))


def byte_level(kind: str):
    """A trained byte-level tokenizer of one of the families, built from its parts."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if kind in ("llama-bpe", "qwen2"):
        split = pre_tokenizers.Split(Regex(_LLAMA3 if kind == "llama-bpe" else _QWEN2), behavior="isolated")
        letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, letters])
    if kind == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, tokenizer.pre_tokenizer])
    if kind == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<end>", "<begin>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(CORPUS, trainer)
    if kind == "llama-bpe":
        tokenizer = whole_word(tokenizer, "mats")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<begin> $A", special_tokens=[("<begin>", tokenizer.token_to_id("<begin>"))]
        )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", bos_token="<begin>")


def whole_word(tokenizer, word: str):
    """The same tokenizer with a token that no merge makes, which it takes for a whole word alone."""
    import json

    from tokenizers import Tokenizer

    pipeline = json.loads(tokenizer.to_str())
    vocabulary = pipeline["model"]["vocab"]
    pipeline["model"]["merges"] = [merge for merge in pipeline["model"]["merges"] if "".join(merge) != f"Ġ{word}"]
    vocabulary.setdefault(f"Ġ{word}", len(vocabulary))
    pipeline["model"]["ignore_merges"] = True
    return Tokenizer.from_str(json.dumps(pipeline))


def written(tmp_path, tokenizer, rule: str, **keys: object):
    source = small_model("qwen2" if rule == "qwen2" else "llama", vocab_size=len(tokenizer))
    return write_gguf(
        tmp_path / "m.gguf", source, keys={f"tokenizer.ggml.{key}": value for key, value in keys.items()},
        vocabulary=lambda writer: write_byte_level(writer, tokenizer, rule, {0, 1}),
    )  # fmt: skip


@pytest.mark.parametrize("rule", ["gpt-2", "llama-bpe", "qwen2", "smollm"])
def test_byte_level_ids_are_those_of_the_source(tmp_path, rule):
    source = byte_level(rule)

    loaded = load_model(str(written(tmp_path, source, rule))).tokenizer

    for text in TEXTS:
        assert loaded(text)["input_ids"] == source(text)["input_ids"], text
        assert loaded.decode(loaded(text)["input_ids"]) == source.decode(source(text)["input_ids"])
    assert len(loaded) == len(source)


def test_a_whole_word_is_one_token_where_the_rule_ignores_merges(tmp_path):
    source = byte_level("llama-bpe")

    loaded = load_tokenizer(str(written(tmp_path, source, "llama-bpe")))

    assert loaded.tokenize(" mats") == ["Ġmats"]


@pytest.mark.parametrize(
    ("rule", "keys", "opens", "ends"),
    [
        ("llama-bpe", {}, True, False),
        ("llama-bpe", {"add_bos_token": False}, False, False),
        ("gpt-2", {}, False, False),
        ("gpt-2", {"add_bos_token": True}, True, False),
        ("smollm", {"add_bos_token": True, "add_eos_token": True}, True, True),
    ],
)
def test_the_beginning_and_the_end_are_as_the_file_says(tmp_path, rule, keys, opens, ends):
    loaded = load_tokenizer(str(written(tmp_path, byte_level(rule), rule, **keys)))

    ids = loaded("the cat")["input_ids"]

    assert (ids[0] == loaded.bos_token_id) is opens
    assert (ids[-1] == loaded.eos_token_id) is ends


def test_a_space_is_put_before_the_text_where_the_file_says_so(tmp_path):
    loaded = load_tokenizer(str(written(tmp_path, byte_level("gpt-2"), "gpt-2", add_space_prefix=True)))

    assert loaded("the")["input_ids"] == byte_level("gpt-2")(" the")["input_ids"]


def test_a_file_that_names_no_rule_is_refused(tmp_path):
    path = written(tmp_path, byte_level("gpt-2"), "")

    with pytest.raises(ModelError, match=r"tokenizer\.ggml\.pre"):
        load_tokenizer(str(path))


@pytest.fixture(scope="module", params=[True, False], ids=["space before the text", "no space"])
def pieces(request, tmp_path_factory):
    """A SentencePiece BPE with bytes to fall back to, and whether it puts a space before a text."""
    folder = tmp_path_factory.mktemp("pieces")
    (folder / "corpus.txt").write_text("\n".join(CORPUS))
    sentencepiece.SentencePieceTrainer.train(
        input=str(folder / "corpus.txt"), model_prefix=str(folder / "m"), model_type="bpe", vocab_size=300,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=request.param, user_defined_symbols=["<mark>"], minloglevel=2,
    )  # fmt: skip
    return sentencepiece.SentencePieceProcessor(str(folder / "m.model")), request.param


def write_pieces(writer, model) -> None:
    roles = [_role(model, index) for index in range(len(model))]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([model.id_to_piece(index) for index in range(len(model))])
    writer.add_token_scores([model.get_score(index) for index in range(len(model))])
    writer.add_token_types(roles)
    writer.add_bos_token_id(model.bos_id())
    writer.add_eos_token_id(model.eos_id())
    writer.add_unk_token_id(model.unk_id())


def _role(model, index: int) -> int:
    if model.id_to_piece(index) == "<mark>":
        return 4
    return 2 if model.is_unknown(index) else 3 if model.is_control(index) else 6 if model.is_byte(index) else 1


def test_sentencepiece_ids_are_those_of_the_source(tmp_path, pieces):
    source, prefix = pieces
    path = write_gguf(
        tmp_path / "m.gguf", small_model("llama", vocab_size=300),
        keys={} if prefix else {"tokenizer.ggml.add_space_prefix": False},
        vocabulary=lambda writer: write_pieces(writer, source),
    )  # fmt: skip

    tokenizer = load_model(str(path)).tokenizer

    for text in ("the cat's 1234 mats", "  two  spaces", "Über café ☃ naïve\n\nnew", "x", "the<mark>"):
        ids = tokenizer(text)["input_ids"]
        assert ids == [source.bos_id(), *source.encode(text)]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_a_kind_of_vocabulary_that_is_not_known_is_named(tmp_path):
    path = written(tmp_path, byte_level("gpt-2"), "gpt-2")
    path.write_bytes(path.read_bytes().replace(b"gpt2", b"bert"))

    with pytest.raises(ModelError, match=r"tokenizer\.ggml\.model = 'bert'"):
        load_tokenizer(str(path))
