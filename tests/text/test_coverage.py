"""Every character of a text has a part in its tokens, or an error names the first that has none."""

from __future__ import annotations

import pytest

from shoal.errors import DataError
from shoal.text.coverage import check_coverage
from shoal.text.encoding import encode_pairs, opening_ids

ALPHABET = "bcdeTt 12."


def fast(model, *, normalizer=None, pre_tokenizer=None, frame: bool = False, **special: str):
    from tokenizers import Tokenizer, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(model)
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.add_special_tokens(["<begin>", "<end>"])
    if frame:
        ids = [(name, tokenizer.token_to_id(name)) for name in ("<begin>", "<end>")]
        tokenizer.post_processor = processors.TemplateProcessing(single="<begin> $A <end>", special_tokens=ids)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", **special)


def letters(alphabet: str = ALPHABET, **options):
    """A BPE of single characters, without an unknown token."""
    from tokenizers import models

    return models.BPE(
        vocab={letter: place for place, letter in enumerate(dict.fromkeys(alphabet))}, merges=[], **options
    )


def with_unknown():
    from tokenizers import models

    return models.BPE(vocab={"T": 0, "<unk>": 1}, merges=[], unk_token="<unk>")


def bytes_seen(text: str):
    """A byte-level BPE that knows the bytes of one text alone, as one trained without the whole alphabet does."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator([text], trainers.BpeTrainer(vocab_size=60, show_progress=False))
    return tokenizer.model


def all_bytes(*, fallback: bool):
    from tokenizers import models, pre_tokenizers

    names = [f"<0x{byte:02X}>" for byte in range(256)] if fallback else sorted(pre_tokenizers.ByteLevel.alphabet())
    return models.BPE(vocab={name: place for place, name in enumerate(names)}, merges=[], byte_fallback=fallback)


def tokenizers():
    """Kinds that cover any text, or every text of the test below."""
    from tokenizers import Regex, models, normalizers, pre_tokenizers

    words = {word: place for place, word in enumerate(["the", "cat", ".", "1", "##s", "<unk>"])}
    pieces = [("<unk>", 0.0), *((letter, -2.0) for letter in "▁thecasTxé.1")]
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bert = normalizers.BertNormalizer(lowercase=True)
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    trimmed = normalizers.Sequence([normalizers.NFC(), normalizers.Strip()])
    folded = normalizers.Sequence([spaces, normalizers.NFKC(), normalizers.Lowercase()])
    bare = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), spaces])
    composed = normalizers.Sequence([spaces, normalizers.NFC()])
    whitespace, metaspace = pre_tokenizers.Whitespace(), pre_tokenizers.Metaspace()
    return {
        "byte-level": fast(all_bytes(fallback=False), pre_tokenizer=byte_level),
        "byte fallback": fast(all_bytes(fallback=True)),
        "BPE with unknown": fast(with_unknown()),
        "words with unknown": fast(models.WordLevel(words, unk_token="<unk>"), pre_tokenizer=whitespace),
        "WordPiece": fast(
            models.WordPiece(words, unk_token="<unk>"), normalizer=bert, pre_tokenizer=pre_tokenizers.BertPreTokenizer()
        ),
        "Unigram": fast(models.Unigram(pieces, unk_id=0), pre_tokenizer=metaspace),
        "Metaspace without unknown": fast(letters("▁thecasTxé.1"), normalizer=composed, pre_tokenizer=metaspace),
        "stripped": fast(letters("thecasTxé.1"), normalizer=trimmed, pre_tokenizer=whitespace),
        "compatible forms": fast(letters("thecastx .1é"), normalizer=folded),
        "accents taken out": fast(letters("thecasTx .1"), normalizer=bare),
    }


@pytest.mark.parametrize("name", tokenizers())
def test_what_a_tokenizer_normalizes_is_no_loss(name):
    texts = ["the cat", "TxT", "  the  cat. ", "cé", "ce\u0301", "the\tcat", "1"]

    check_coverage(tokenizers()[name], texts)
    encode_pairs(tokenizers()[name], [("the", " cat", True)])


def losing():
    """Kinds that lose a character of a text: the tokenizer, the text, the place."""
    from tokenizers import Regex, models, normalizers, pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    no_commas = pre_tokenizers.Split(",", behavior="removed")
    no_capitals = normalizers.Replace(Regex("[A-Z]"), "")
    words = pre_tokenizers.Whitespace()
    few_bytes = models.BPE(vocab={f"<0x{byte:02X}>": byte for byte in range(128)}, merges=[], byte_fallback=True)
    suffixed = models.BPE(vocab={"a": 0, "b</w>": 1}, merges=[], end_of_word_suffix="</w>")
    no_prefix = pre_tokenizers.Metaspace(prepend_scheme="never")
    return {
        "a letter": (fast(letters()), "TxT", 1),
        "the last letter": (fast(letters()), "TTx", 2),
        "a space": (fast(letters("ab")), "a b", 1),
        "a space as ▁": (fast(letters("ab"), pre_tokenizer=no_prefix), "a b", 1),
        "a line break": (fast(letters()), "b c\nd", 3),
        "a sign beyond 16 bits": (fast(letters()), "b🙂c", 1),
        "behind an added token": (fast(letters()), "b<end>x", 6),
        "a byte of a character": (fast(bytes_seen("the café"), pre_tokenizer=byte_level), "the cafê", 7),
        "a character beyond the bytes": (fast(few_bytes), "caf\u00e9", 3),
        "a word without unknown": (fast(models.WordLevel({"the": 0, "cat": 1}), pre_tokenizer=words), "the dog", 4),
        "WordPiece without unknown": (fast(models.WordPiece({"the": 0, "##n": 1}), pre_tokenizer=words), "then dog", 5),
        "Unigram without unknown": (fast(models.Unigram([("a", -1.0), ("b", -1.0)])), "abx", 2),
        "suffixed letters": (fast(suffixed), "bb", 0),
        "a sign that words are cut at": (fast(letters(), pre_tokenizer=no_commas), "b,c", 1),
        "a letter that is replaced by nothing": (fast(letters(), normalizer=no_capitals), "bTc", 1),
        "a letter that stands for a space elsewhere": (fast(letters()), "\u0120b", 0),
        "a sign that stands for a space elsewhere": (
            fast(models.WordLevel({"b": 0}), pre_tokenizer=words),
            "\u2581b",
            0,
        ),
        "an unknown token that is none": (fast(models.BPE(vocab={"a": 0}, merges=[], unk_token="<no>")), "ab", 1),
    }


@pytest.mark.parametrize("name", losing())
def test_a_character_without_a_token_is_named_with_its_place(name):
    tokenizer, text, place = losing()[name]

    with pytest.raises(DataError) as caught:
        encode_pairs(tokenizer, [(text, "", True)])

    assert f"no token for {text[place]!r}, character {place + 1} of" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_half_of_a_surrogate_pair_is_named_with_its_place():
    from tokenizers import Tokenizer, models

    tokenizer = Tokenizer(models.BPE(vocab={"<u>": 0}, merges=[], unk_token="<u>"))
    with pytest.raises(DataError, match=r"character 2 of 'a\\ud800b' is half of a surrogate pair, which no tokenizer"):
        check_coverage(tokenizer, ["good", "a\ud800b"])


@pytest.mark.parametrize("name", losing())
def test_a_text_that_a_tokenizer_covers_is_taken_by_the_same_tokenizer(name):
    tokenizer, text, place = losing()[name]
    covered = {"a word without unknown": "the", "WordPiece without unknown": "then", "suffixed letters": "ab"}

    check_coverage(tokenizer, [covered.get(name, text[:place])])


@pytest.mark.parametrize("alphabet", ["bcd", "xyz", "123", "☃"])
def test_the_beginning_token_does_not_hang_on_the_letter_a(alphabet):
    tokenizer = fast(letters(alphabet), frame=True)

    assert opening_ids(tokenizer) == [tokenizer.convert_tokens_to_ids("<begin>")]
    (pair,) = encode_pairs(tokenizer, [(alphabet[0], alphabet[0], True)])
    assert tokenizer.convert_ids_to_tokens(pair.ids) == ["<begin>", alphabet[0], alphabet[0], "<end>"]


def test_the_beginning_token_of_words_without_an_unknown_one():
    from tokenizers import models, pre_tokenizers

    tokenizer = fast(models.WordLevel({"the": 0, "cat": 1}), pre_tokenizer=pre_tokenizers.Whitespace(), frame=True)

    assert opening_ids(tokenizer) == [tokenizer.convert_tokens_to_ids("<begin>")]


def test_a_tokenizer_written_in_python_is_checked_by_decoding():
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer()

    (pair,) = encode_pairs(tokenizer, [("the café", " of ☃", True)])

    assert tokenizer.decode(pair.prompt) == "the café"
    assert pair.target[-1] == tokenizer.eos_token_id


def test_a_tokenizer_written_in_python_that_drops_letters_is_refused():
    from transformers import ByT5Tokenizer

    class Dropping(ByT5Tokenizer):
        def _tokenize(self, text: str, **options: object) -> list[str]:
            return super()._tokenize(text.replace("x", ""))

    with pytest.raises(DataError, match="no token for 'x', character 2 of 'TxT'"):
        encode_pairs(Dropping(), [("TxT", "", True)])
