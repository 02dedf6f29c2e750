"""The table of tokens of a GGUF file: text, role and score of each id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.errors import CorruptModelError
from shoal.text import Role, VocabularyPiece

if TYPE_CHECKING:
    from shoal.models.gguf.file import GgufFile


class TokenTable:
    """What the file says of each id. The numbers of the roles are those of SentencePiece."""

    def __init__(self, file: GgufFile) -> None:
        self._file = file
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
