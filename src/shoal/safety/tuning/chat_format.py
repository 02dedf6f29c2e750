"""How an instruction stands before a model, in training and afterwards alike: its chat template, or plain text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from shoal.errors import UsageError
from shoal.models.generation import has_chat_template, render_chat, turn_end_ids
from shoal.tasks import Example
from shoal.text import encode_pairs, opening_ids, sentence_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.safety.tuning.rows import InstructionPair

Layout = Literal["chat", "plain"]
"""``chat``: the template that comes with the model; ``plain``: ``Request: ... Answer:``, for a model without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """Renders instructions for one tokenizer."""

    tokenizer: PreTrainedTokenizerFast
    layout: Layout = "chat"
    system: str | None = None
    """The system message; None leaves what the template puts there by itself."""

    def __post_init__(self) -> None:
        if self.layout == "chat" and not has_chat_template(self.tokenizer):
            raise UsageError(
                "the model has no chat template, so that it does not know an instruction from an answer; give a model "
                'that was tuned on instructions, or put them in plain text (layout = "plain" of an experiment, --plain)'
            )

    def prompt(self, instruction: str) -> str:
        """The text up to where the answer begins."""
        if self.layout == "plain":
            return f"Request: {instruction}\nAnswer:"
        messages = [] if self.system is None else [{"role": "system", "content": self.system}]
        return render_chat(self.tokenizer, [*messages, {"role": "user", "content": instruction}])

    def prompt_ids(self, instruction: str) -> list[int]:
        """The ids of `prompt`, opened as they are in training."""
        ids: list[int] = self.tokenizer(self.prompt(instruction), add_special_tokens=False, verbose=False)["input_ids"]
        return [*opening_ids(self.tokenizer), *ids]

    def example(self, pair: InstructionPair) -> Example:
        """A pair as a training example, whose answer ends as the template ends a turn."""
        text = f" {pair.answer}" if self.layout == "plain" else pair.answer
        ends = self.end_ids
        if self.tokenizer.eos_token_id in ends or not ends:
            return Example(prompt=self.prompt(pair.instruction), completion=text)
        # Where the token that ends a turn is not the end token, it is a part of the text.
        # The lowest, so that the choice does not depend on the order of a set; every one of them ends a turn.
        closing = self.tokenizer.decode([min(ends)])
        return Example(prompt=self.prompt(pair.instruction), completion=text + closing, ends=False)

    @property
    def end_ids(self) -> frozenset[int]:
        """The tokens that end an answer."""
        ends = turn_end_ids(self.tokenizer) if self.layout == "chat" else frozenset[int]()
        return ends or frozenset({int(self.tokenizer.eos_token_id)})

    def fit(self, pairs: Sequence[InstructionPair], *, max_prompt_tokens: int, max_answer_tokens: int) -> list[Example]:
        """The pairs as examples of bounded length: an answer ends with the last whole sentence that fits.

        Args:
            pairs: instructions with answers; those whose instruction or first sentence is too long are left out.
            max_prompt_tokens: of an instruction, the template not counted.
            max_answer_tokens: of an answer.
        """
        found = []
        lengths = self._lengths([pair.instruction for pair in pairs])
        for pair, length in zip(pairs, lengths, strict=True):
            if length > max_prompt_tokens:
                continue
            answer = self._cut(pair.answer, max_answer_tokens)
            if answer:
                found.append(self.example(type(pair)(instruction=pair.instruction, answer=answer)))
        return found

    def _cut(self, answer: str, max_tokens: int) -> str:
        if self._lengths([answer])[0] <= max_tokens:
            return answer
        cut = ""
        for _, stop in sentence_spans(answer, language="en"):
            if self._lengths([answer[:stop]])[0] > max_tokens:
                break
            cut = answer[:stop]
        # The sentence that announces a list is no answer without it.
        return "" if cut.endswith(":") else cut.strip()

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        rows = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return [len(row) for row in rows]


def count_tokens_of(tokenizer: PreTrainedTokenizerFast, examples: Sequence[Example]) -> int:
    """The tokens of examples, prompts and completions.

    Args:
        tokenizer: the model's.
        examples: training rows.
    """
    pairs = encode_pairs(tokenizer, [(one.prompt, one.completion, one.ends) for one in examples])
    return sum(len(pair.ids) for pair in pairs)
