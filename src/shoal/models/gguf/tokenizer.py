"""The tokenizer inside a GGUF file: the ids that the source model's own tokenizer gives.

A file holds the vocabulary and a few flags; the rest of a tokenizer is known by names: the kind of the vocabulary
(``tokenizer.ggml.model``) and, for byte-level ones, the rule that cuts text into words (``tokenizer.ggml.pre``). A kind
or a rule that is not known here is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError
from shoal.models.gguf.byte_level import adds_beginning, byte_level_pipeline
from shoal.text import PieceVocabulary, Role, VocabularyPiece, build_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from shoal.models.gguf.file import GgufFile


class TokenTable:
    """What the file holds for each id. The numbers of the roles are those of SentencePiece."""

    def __init__(self, file: GgufFile) -> None:
        self._file = file
        # Several empty texts would be one token.
        self.texts = [text or f"[EMPTY_{index}]" for index, text in enumerate(file.array("tokenizer.ggml.tokens"))]
        self.ids = {text: index for index, text in enumerate(self.texts)}
        if len(self.ids) < len(self.texts):
            twice = next(text for index, text in enumerate(self.texts) if self.ids[text] != index)
            raise CorruptModelError(f"{file.path} holds the token {twice!r} twice in tokenizer.ggml.tokens")
        self._roles = self._column("token_type", int(Role.NORMAL))
        self._scores = self._column("scores", 0.0)

    @property
    def control(self) -> list[str]:
        """Tokens that are no text, such as the one that ends a document."""
        return self._with_role(Role.CONTROL)

    @property
    def user_defined(self) -> list[str]:
        """Tokens that are text and are found whole, before the vocabulary's rules."""
        return self._with_role(Role.USER_DEFINED)

    def pieces(self, *, by_order: bool) -> tuple[VocabularyPiece, ...]:
        """The table as a SentencePiece vocabulary.

        Args:
            by_order: score each piece by its place, the first one highest, instead of by the file's scores.
        """
        self._file.array("tokenizer.ggml.token_type")
        self._file.array("tokenizer.ggml.scores")
        scores = [-float(index) for index in range(len(self.texts))] if by_order else self._scores
        return tuple(
            VocabularyPiece(text, score, Role(int(role)))
            for text, score, role in zip(self.texts, scores, self._roles, strict=True)
        )

    def _with_role(self, role: Role) -> list[str]:
        return [text for text, own in zip(self.texts, self._roles, strict=True) if own == role]

    def _column(self, name: str, usual: float) -> list[float]:
        """One number for each id."""
        key = f"tokenizer.ggml.{name}"
        values = self._file.array(key, [usual] * len(self.texts))
        if len(values) != len(self.texts):
            raise CorruptModelError(f"{self._file.path} has {len(values)} values of {key} for {len(self.texts)} tokens")
        return list(values)


_LLAMA_IDS = {"bos": 1, "eos": 2, "unknown": 0}
"""The ids that a SentencePiece file has where it does not state them, as in Llama's."""

_BY_ORDER = ("gemma", "gemma2", "gemma3")
"""Architectures whose pieces are joined in the order of their ids, not of their scores."""


def gguf_tokenizer(file: GgufFile) -> PreTrainedTokenizerFast:
    """The tokenizer of a GGUF file: its tokens and no others.

    Raises:
        ModelError: a kind of vocabulary, a rule of splitting or a flag that is not known here; the message names it.
        CorruptModelError: the vocabulary is not whole.
    """
    from transformers import PreTrainedTokenizerFast

    kind = file.text("tokenizer.ggml.model")
    if kind not in ("gpt2", "llama"):
        file.refuse("tokenizer.ggml.model", kind, "'gpt2' or 'llama'")
    table = TokenTable(file)
    special = {name: _special(file, table, name, kind) for name in ("bos", "eos", "unknown", "padding")}
    if kind == "gpt2":
        backend, add_begin = byte_level_pipeline(file, table), adds_beginning(file)
    else:
        backend, add_begin = _sentencepiece(file, table, special), True
    _check_flags(file)
    _add_whole_tokens(backend, table)
    _frame(file, backend, table, special, add_begin)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        clean_up_tokenization_spaces=False,
        chat_template=file.text("tokenizer.chat_template", None),
        bos_token=special["bos"],
        eos_token=special["eos"],
        unk_token=special["unknown"],
        pad_token=special["padding"],
    )


def _special(file: GgufFile, table: TokenTable, name: str, kind: str) -> str | None:
    """The text of a special token; None where the file has none."""
    usual = _LLAMA_IDS.get(name) if kind == "llama" else None
    key = f"tokenizer.ggml.{name}_token_id"
    index = file.integer(key, usual)
    if index is None:
        return None
    if not 0 <= index < len(table.texts):
        file.refuse(key, index, f"an id below {len(table.texts)}")
    return str(table.texts[index])


def _check_flags(file: GgufFile) -> None:
    """Raise for a flag that needs what the tokenizer built here does not do."""
    for name, usual in (("add_sep_token", False), ("remove_extra_whitespaces", False), ("escape_whitespaces", True)):
        key = f"tokenizer.ggml.{name}"
        value = file.flag(key, usual)
        # A byte-level vocabulary writes a space as a byte, so that nothing is escaped.
        if value != usual and name != "escape_whitespaces":
            file.refuse(key, value, str(usual).lower())


def _sentencepiece(file: GgufFile, table: TokenTable, special: dict[str, str | None]) -> Tokenizer:
    """SentencePiece's BPE, which joins the neighbours whose union has the highest score."""
    file.text("tokenizer.ggml.pre", "default")
    file.array("tokenizer.ggml.merges", None)
    if special["unknown"] is None or special["bos"] is None:
        raise CorruptModelError(f"{file.path} has no beginning or no unknown token, which its kind of tokenizer needs")
    vocabulary = PieceVocabulary(
        pieces=table.pieces(by_order=file.architecture in _BY_ORDER),
        dummy_prefix=file.flag("tokenizer.ggml.add_space_prefix", True),
    )
    try:
        return build_tokenizer(vocabulary, special["unknown"], special["bos"])
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise ModelError(f"the tokenizer of {file.path} cannot be built: {error}") from error


def _add_whole_tokens(backend: Tokenizer, table: TokenTable) -> None:
    """Let the tokens that stand outside the vocabulary's rules be found whole in a text."""
    from tokenizers import AddedToken

    backend.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in table.control])
    backend.add_tokens([AddedToken(text, special=False, normalized=False) for text in table.user_defined])


def _frame(
    file: GgufFile, backend: Tokenizer, table: TokenTable, special: dict[str, str | None], add_begin: bool
) -> None:
    """Put the beginning and the end token around a text where the file requires it."""
    from tokenizers import processors

    begin = special["bos"] if file.flag("tokenizer.ggml.add_bos_token", add_begin) else None
    end = special["eos"] if file.flag("tokenizer.ggml.add_eos_token", False) else None
    parts: list[Any] = [begin, "$A", end]
    backend.post_processor = processors.TemplateProcessing(
        single=[part for part in parts if part],
        special_tokens=[(text, table.ids[text]) for text in {begin, end} if text],
    )
