"""Prompt and completion as token ids, encoded jointly, with the boundary between them checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shoal.errors import BoundaryError, DataError
from shoal.text.coverage import check_coverage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transformers import PreTrainedTokenizerFast

    from shoal.text.plain_tokenizer import PlainTokenizer

_WHITE_SPACE = ("\u0120", "\u010a", "\u0109", "\u010d", "\u2581", " ", "\n", "\t", "\r")
"""How a token shows that it begins with white space: byte-level tokenizers shift it to letters, SentencePiece to ▁."""


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Token ids of a prompt followed by its completion."""

    ids: tuple[int, ...]
    """Prompt ids, completion ids and, where the completion ends, the end token's id."""

    boundary: int
    """The number of prompt ids, those included that the tokenizer puts at the beginning."""

    @property
    def prompt(self) -> tuple[int, ...]:
        """The ids that the model is given."""
        return self.ids[: self.boundary]

    @property
    def target(self) -> tuple[int, ...]:
        """The ids that the model should continue with, the end token included."""
        return self.ids[self.boundary :]


def plain_ids(tokenizer: PreTrainedTokenizerFast | PlainTokenizer, texts: Sequence[str]) -> list[list[int]]:
    """The ids of texts that are documents, without anything put around them.

    A document that mentions a control token (``<|endoftext|>``, ``</s>``) speaks of it: it gets the tokens of its
    letters, and never the token itself, which would end the document in its middle. Prompts and completions are not
    read so (`encode_pairs`): the templates of chat models are written with such tokens.

    Args:
        tokenizer: of either kind.
        texts: the documents.

    Raises:
        DataError: a character has no token; or a document mentions a control token that is a piece of the vocabulary
            too, as in unigram models, so that the tokenizer has nothing else for it.
    """
    check_coverage(tokenizer, texts, split_special_tokens=True)
    rows: list[list[int]] = tokenizer(
        list(texts), add_special_tokens=False, split_special_tokens=True, return_attention_mask=False, verbose=False
    )["input_ids"]
    # The unknown token is left out: it stands for a character that has no token, whatever the text mentions.
    controls = {id_: text for text, id_ in control_tokens(tokenizer).items() if text != tokenizer.unk_token}
    for text, row in zip(texts, rows, strict=True):
        for id_ in controls.keys() & set(row):
            if controls[id_] in text:
                raise DataError(
                    f"the document that begins {text[:40]!r} mentions {controls[id_]}, which this tokenizer can only "
                    "read as its control token; write it otherwise, or leave the document out"
                )
    return rows


def plain_spans(
    tokenizer: PreTrainedTokenizerFast | PlainTokenizer, texts: Sequence[str]
) -> list[list[tuple[int, int]]]:
    """The characters of each token that `plain_ids` gives, from start to stop, white space before a token included.

    Args:
        tokenizer: a fast one, which knows what its tokens cover; of another, no token covers anything.
        texts: the documents.
    """
    if not getattr(tokenizer, "is_fast", True):
        return [[(0, 0)] * len(ids) for ids in plain_ids(tokenizer, texts)]
    rows = tokenizer(
        list(texts),
        add_special_tokens=False,
        split_special_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=False,
        verbose=False,
    )["offset_mapping"]
    found = []
    for offsets in rows:
        spans, reached = [], 0
        for start, stop in offsets:
            # Some tokenizers leave a token's leading white space out of its offsets.
            spans.append((min(start, reached) if start >= reached else start, stop))
            reached = max(reached, stop)
        found.append(spans)
    return found


def control_tokens(tokenizer: PreTrainedTokenizerFast | PlainTokenizer) -> dict[str, int]:
    """The tokens that stand for no text (``<s>``, ``<|im_end|>``), with their ids, in the order of the ids."""
    added = sorted(tokenizer.added_tokens_decoder.items())
    return {token.content: id_ for id_, token in added if token.special}


def end_token_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """The id that ends a completion.

    Raises:
        DataError: the tokenizer has no end token.
    """
    if tokenizer.eos_token_id is None:
        raise DataError("the tokenizer has no end token; completions that end need one: set tokenizer.eos_token")
    return int(tokenizer.eos_token_id)


def encode_pairs(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str, bool]]) -> list[EncodedPair]:
    """Encode (prompt, completion, ends) triples in one call of the tokenizer.

    The text is encoded jointly, so that the completion gets the tokens it would have in running text. What the
    tokenizer puts at the beginning (a BOS token, say) stays; what it would put at the end is not: the end token is
    appended exactly where ``ends`` is true.

    Args:
        tokenizer: of either kind.
        pairs: prompt, completion, and whether the completion ends.

    Raises:
        BoundaryError: one token covers characters of both sides.
        DataError: a character has no token and would be lost; a completion is empty and does not end, so there is
            nothing to predict; it holds the end token, where decoding stops; or a prompt is empty and the tokenizer
            puts no token at the beginning, so there is nothing to predict from.
    """
    if not pairs:
        return []
    texts = [prompt + completion for prompt, completion, _ in pairs]
    check_coverage(tokenizer, texts)
    opening, end_id = opening_ids(tokenizer), tokenizer.eos_token_id
    encoded = []
    for (prompt, completion, ends), (ids, cut) in zip(pairs, _cut(tokenizer, texts, pairs), strict=True):
        closing = [end_token_id(tokenizer)] if ends else []
        if end_id in ids[cut:]:
            raise DataError(
                f"the completion {completion[:40]!r} holds the end token {tokenizer.eos_token!r}, where any decoder "
                "stops; cut it there, or take the token out of its text"
            )
        if not len(ids) - cut + len(closing):
            raise DataError(f"the completion of {prompt[-40:]!r} is empty and does not end; give it text or let it end")
        if not len(opening) + cut:
            raise DataError(f"the prompt of {completion[:40]!r} is empty and the tokenizer adds no beginning token")
        encoded.append(EncodedPair(ids=(*opening, *ids, *closing), boundary=len(opening) + cut))
    return encoded


def _cut(
    tokenizer: PreTrainedTokenizerFast, texts: list[str], pairs: Sequence[tuple[str, str, bool]]
) -> Iterator[tuple[list[int], int]]:
    """The ids of each text, and how many of them belong to the prompt."""
    if not getattr(tokenizer, "is_fast", True):
        for text, (prompt, completion, _) in zip(texts, pairs, strict=True):
            yield _cut_without_offsets(tokenizer, text, prompt, completion)
        return
    batch = tokenizer(
        texts, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False, verbose=False
    )
    found = zip(pairs, batch["input_ids"], batch["offset_mapping"], strict=True)
    for (prompt, completion, _), ids, offsets in found:
        yield ids, _boundary(prompt, completion, ids, offsets, tokenizer)


def _cut_without_offsets(
    tokenizer: PreTrainedTokenizerFast, text: str, prompt: str, completion: str
) -> tuple[list[int], int]:
    """As `_cut`, by a tokenizer written in Python: the prompt's own tokens must open those of the text."""
    ids, before = (tokenizer(part, add_special_tokens=False, verbose=False)["input_ids"] for part in (text, prompt))
    if ids[: len(before)] != before:
        raise BoundaryError(
            f"the tokens of the prompt {prompt[-20:]!r} are others where the completion {completion[:20]!r} follows; "
            "let the two sides split between tokens"
        )
    return ids, len(before)


def opening_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The ids that the tokenizer's own policy puts before a text.

    Raises:
        DataError: no text can be found that the tokenizer has a token for.
    """
    # Templates, options of the tokenizer class and code of its own may put the opening there: only encoding shows it.
    for probe in _probes(tokenizer):
        try:
            bare = tokenizer(probe, add_special_tokens=False)["input_ids"]
        except Exception:  # noqa: BLE001 (the library raises nothing narrower where a text has no token)
            continue
        if not bare:
            continue
        framed = tokenizer(probe, add_special_tokens=True)["input_ids"]
        for start in range(len(framed) - len(bare) + 1):
            if framed[start : start + len(bare)] == bare:
                return list(framed[:start])
    raise DataError("the tokenizer has no token for any text; give one whose vocabulary is not empty")


def _probes(tokenizer: PreTrainedTokenizerFast) -> Iterator[str]:
    """Texts of which a tokenizer has one that it knows: a letter, else what its own tokens say."""
    yield "a"
    for token in sorted(tokenizer.get_vocab().values()):
        yield tokenizer.decode([token], skip_special_tokens=True)


def _boundary(
    prompt: str,
    completion: str,
    ids: list[int],
    offsets: list[tuple[int, int]],
    tokenizer: PreTrainedTokenizerFast,
) -> int:
    """The number of tokens that belong to the prompt.

    Some tokenizers leave a token's leading white space out of its offsets; such a token crosses the edge where the
    prompt's last characters lie in the gap before it.
    """
    edge, covered = len(prompt), 0
    for place, (start, stop) in enumerate(offsets):
        if stop > edge:
            token = str(tokenizer.convert_ids_to_tokens(ids[place]))
            if start < edge or (covered < edge and token.startswith(_WHITE_SPACE)):
                raise BoundaryError(
                    f"the token {token!r} covers the end of the prompt {prompt[-20:]!r} and the start of "
                    f"the completion {completion[:20]!r}; let the two sides split between tokens"
                )
            return place
        covered = stop
    return len(ids)


def decode_continuation(tokenizer: PreTrainedTokenizerFast, prompt: Sequence[int], continuation: Sequence[int]) -> str:
    """The text that a continuation adds to a prompt, special tokens left out.

    It is decoded together with the prompt, because a token's text can depend on what stands before it (a leading
    space, or one character's bytes spread over tokens).

    Args:
        tokenizer: of either kind.
        prompt: token ids.
        continuation: the token ids behind them.
    """
    before = tokenizer.decode(prompt, skip_special_tokens=True)
    whole = tokenizer.decode([*prompt, *continuation], skip_special_tokens=True)
    # It does not where the continuation completes a character of which the prompt has the first bytes.
    if whole.startswith(before):
        return str(whole[len(before) :])
    return str(tokenizer.decode(continuation, skip_special_tokens=True))


def describe_policy(tokenizer: PreTrainedTokenizerFast) -> str:
    """How `encode_pairs` puts a text into tokens, for a record: what opens it and what ends it."""
    opening = " ".join(map(repr, tokenizer.convert_ids_to_tokens(opening_ids(tokenizer)))) or "nothing"
    return f"opened by {opening}, ended by {tokenizer.eos_token!r}, encoded jointly"
