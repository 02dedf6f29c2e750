"""Back-translation: into another language and back, by a model at an endpoint (Sennrich et al. 2016, arXiv:1511.06709).

Answers are recorded, so that a text is translated once however often the command is given.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from shoal.corpora.llm import Endpoint, complete_all
from shoal.curation.augmentation.augmenter import Augmenter, TextAugmenter
from shoal.errors import UsageError
from shoal.progress import no_progress

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from shoal.progress import Progress

_INSTRUCTION = (
    "Translate the text between the lines of dashes into {language}. Give the translation alone, and keep numbers, "
    "names and marks as they are.\n---\n{text}\n---"
)


_FENCE = re.compile(r"\A-{3,}\s*|\s*-{3,}\Z")


class _Translation(NamedTuple):
    text: str
    """The prompt."""

    @property
    def key(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class BackTranslation(TextAugmenter):
    """The text translated into another language and back."""

    name: ClassVar[str] = "back-translation"
    summary: ClassVar[str] = "into another language and back, by a model at an OpenAI-compatible endpoint"
    needs_endpoint: ClassVar[bool] = True

    url: str
    """As in ``http://localhost:8080/v1``."""

    model: str
    record: str
    """The JSONL file of answers; it is made, or continued."""

    language: str = "French"
    home: str = "English"
    """The language of the texts."""

    translated: Mapping[str, str] | None = field(default=None, repr=False, compare=False)
    """From a text to what came back; filled by `prepared`."""

    def label(self) -> str:
        """The name with the language; the answers are in the record."""
        return f"{self.name}(language={self.language!r})"

    def prepared(self, texts: Sequence[str], progress: Progress = no_progress) -> Augmenter:
        """The augmenter with all texts translated and back.

        Raises:
            EndpointError: the endpoint failed for good; what was answered is in the record.
            MissingExtraError: the ``openai`` package is not installed.
        """
        # Each text once: the endpoint is what takes the time, and equal texts would be recorded under one key anyway.
        distinct = list(dict.fromkeys(texts))
        abroad = self._translate(distinct, self.language, progress)
        back = self._translate([text for text in abroad if text], self.home, progress)
        returned = dict(zip([text for text in abroad if text], back, strict=True))
        found = {text: returned.get(foreign, text) or text for text, foreign in zip(distinct, abroad, strict=True)}
        return BackTranslation(self.url, self.model, self.record, self.language, self.home, found)

    def rewrite(self, text: str, generator: random.Random) -> str:  # noqa: ARG002 - the model has drawn
        """What came back of the text."""
        if self.translated is None:
            raise UsageError(f"{self.name} has translated nothing yet; give the texts to its prepared() first")
        return self.translated.get(text, text)

    def _translate(self, texts: Sequence[str], language: str, progress: Progress) -> list[str]:
        """The translations in order; an empty text where the model gave nothing of use."""
        requests = [_Translation(_INSTRUCTION.format(language=language, text=text)) for text in texts]
        # The most likely translation, so that the record does not hang on a draw.
        endpoint = Endpoint(url=self.url, model=self.model, temperature=0.0)
        rows = complete_all(
            requests, endpoint, self.record, fields=lambda one: {"prompt": one.text}, progress=progress, what="texts"
        )
        # Models repeat the lines of dashes that enclose the text; a dash of the text itself (-5) stays.
        return [_FENCE.sub("", rows[request.key]["text"].strip()).strip() for request in requests]
