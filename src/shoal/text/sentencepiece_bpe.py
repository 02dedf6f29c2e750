"""A fast tokenizer of `transformers` that gives the ids that SentencePiece gives.

SentencePiece's BPE has no list of merges: it joins the neighbours whose union is the piece of the highest score, the
leftmost at a tie. Here each piece brings one merge for each way of cutting it into two pieces, ranked by its score.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError
from shoal.text.pieces import SPACE, Role, read_pieces

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from shoal.text.pieces import PieceVocabulary


def load_sentencepiece_tokenizer(path: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a SentencePiece ``*.model`` or a llama2.c ``tok*.bin`` file, with the ids that the file gives.

    It puts the beginning token before a text, as llama2.c does.

    Raises:
        CorruptModelError: the file is not a whole BPE vocabulary, or lacks the token for the unknown, begin or end.
    """
    from transformers import PreTrainedTokenizerFast

    vocabulary = read_pieces(path)
    unknown, begin, end = _special_texts(vocabulary, path)
    return PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(vocabulary, unknown, begin),
        unk_token=unknown,
        bos_token=begin,
        eos_token=end,
        clean_up_tokenization_spaces=False,
    )


def build_tokenizer(vocabulary: PieceVocabulary, unknown: str, begin: str) -> Tokenizer:
    """The `tokenizers` pipeline of a vocabulary: normalizer, BPE, beginning token, decoder."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

    ids = {piece.text: index for index, piece in enumerate(vocabulary.pieces)}
    byte_fallback = any(piece.role is Role.BYTE for piece in vocabulary.pieces)
    tokenizer = Tokenizer(
        models.BPE(vocab=ids, merges=merges(vocabulary), unk_token=unknown, fuse_unk=True, byte_fallback=byte_fallback)
    )
    tokenizer.normalizer = normalizers.Sequence(_normalizers(vocabulary))
    tokenizer.decoder = decoders.Sequence(_decoders(vocabulary))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{begin} $A", pair=f"{begin} $A {begin} $B", special_tokens=[(begin, ids[begin])]
    )
    special = [piece.text for piece in vocabulary.pieces if piece.role in (Role.UNKNOWN, Role.CONTROL)]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return tokenizer


def merges(vocabulary: PieceVocabulary) -> list[tuple[str, str]]:
    """Every way of joining two pieces into a third, the third's highest score first, in the order of ids at a tie."""
    scores = {piece.text: piece.score for piece in vocabulary.pieces if piece.role is Role.NORMAL}
    ranked = sorted(scores, key=lambda text: -scores[text])
    return [
        (text[:cut], text[cut:])
        for text in ranked
        for cut in range(1, len(text))
        if text[:cut] in scores and text[cut:] in scores
    ]


def _special_texts(vocabulary: PieceVocabulary, path: Path) -> tuple[str, str, str]:
    """The texts of the unknown, the beginning and the end token."""
    unknown = [piece.text for piece in vocabulary.pieces if piece.role is Role.UNKNOWN]
    control = [piece.text for piece in vocabulary.pieces if piece.role is Role.CONTROL]
    if not unknown or not {"<s>", "</s>"} <= set(control):
        raise CorruptModelError(f"{path} has the special tokens {unknown + control}; expected <unk>, <s> and </s>")
    return unknown[0], "<s>", "</s>"


def _normalizers(vocabulary: PieceVocabulary) -> list[object]:
    from tokenizers import Regex, normalizers

    steps: list[object] = []
    if vocabulary.character_map:
        steps.append(normalizers.Precompiled(vocabulary.character_map))
    if vocabulary.squeeze_spaces:
        steps.append(normalizers.Replace(Regex(r"\A +| +\z"), ""))
        steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    if vocabulary.dummy_prefix:
        steps.append(normalizers.Prepend(SPACE))
    steps.append(normalizers.Replace(" ", SPACE))
    if vocabulary.squeeze_spaces:
        # At the end SentencePiece drops the mark itself too, where a text has it.
        steps.append(normalizers.Replace(Regex(rf"{SPACE}+\z"), ""))
    return steps


def _decoders(vocabulary: PieceVocabulary) -> list[object]:
    from tokenizers import decoders

    steps: list[object] = [decoders.Replace(SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    if vocabulary.dummy_prefix:
        steps.append(decoders.Strip(" ", 1, 0))
    return steps
