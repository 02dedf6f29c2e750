"""The model card of the bundled model, written from what its training measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

LICENCES = {
    "TinyStories V2": "CDLA-Sharing-1.0",
    "storybooks": "CC BY (African Storybook, Pratham Books StoryWeaver; titles and writers in the set's index.csv)",
    "children's books": "public domain in the USA (Project Gutenberg); the FairytaleQA part Apache-2.0",
}
PROMPTS = (
    "Once upon a time",
    "Tom looked for 1111111: 11 1111111111 1111111",
    "Lily saw 111 11111 11. Ben saw",
    "The bear said",
)


def write_card(
    out: Path,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    *,
    sources: list[Any],
    facts: dict[str, Any],
    bits: dict[str, float],
) -> None:
    """Write CARD.md into the model's folder."""
    config = model.config
    rows = "\n".join(
        f"| {source.name} | {len(source.seen):,} | {sum(len(text.encode()) for text in source.seen):,} | "
        f"{source.dropped} | {bits[source.name]:.3f} | {LICENCES[source.name]} |"
        for source in sources
    )
    samples = "\n\n".join(f"> **{prompt}**{continue_text(model, tokenizer, prompt)}" for prompt in PROMPTS)
    parameters = sum(weight.numel() for weight in model.parameters())
    (out / "CARD.md").write_text(
        f"""# bundled:searches

A `LlamaForCausalLM` of {parameters:,} parameters (width {config.hidden_size}, {config.num_hidden_layers} layers,
{config.num_attention_heads} heads, feed-forward width {config.intermediate_size}, tied embeddings, context
{config.max_position_embeddings}), float32, for children's language and for experiments on small models. It is made by
`python recipes/searches.py`; `recipe.toml` holds every setting, `curve.jsonl` the loss. MIT, as shoal is.

## The training text

| source | documents | bytes | paragraphs dropped | held-out bits per byte | licence |
|---|---|---|---|---|---|
{rows}
| generated stories | {facts["generated stories"]:,} | | none | {bits["generated stories"]:.3f} | MIT (shoal's own) |

{facts["tokens"]:,} tokens in all, {facts["steps"]:,} steps, seed {facts["seed"]}, {facts["precision"]}, one thread of a
CPU: {facts["training seconds"]:,} s of training, {facts["wall seconds"]:,} s in all. The text makes
{facts["text windows"]:,} windows; the recipe says how large their share is. One document in fifty is held out.

The generated stories are plain tales, and stories that cannot be told without copying, comparing or searching: things
said twice, guesses answered with yes and no, and searches in random order that end where the sought thing is found.
The things are objects, numbers in digits and numbers in unary.

**The numbers stand alone. Nowhere in the training text do three numbers ascend by one** (`11 111 1111`; `1, 2, 3`;
one, two, three): `shoal.corpora` checks the whole of it, and the recipe drops the paragraphs of the books
and draws anew the stories that would. So the model has never seen counting. It has seen, very often, that a story
which looks for a number ends where that number is found: whether it carries that over to counting is for the counting
experiment to say, and what it finds must be read with this in mind.

## The tokenizer

Byte-level BPE, {len(tokenizer):,} tokens, trained on the same text. A run of ones is cut into fours from the left, so
unary numbers have a token cycle of period 4. Other digits are cut into pairs. `{tokenizer.eos_token}` ends a text and
serves as the padding token; no token is put at the beginning.

## Samples (greedy, up to 40 tokens)

{samples}

## Limits

A quarter of a million parameters: it says grammatical sentences, not sense. The books are of 1870 to 1925 and carry
that time's attitudes.
"""
    )


def continue_text(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, prompt: str) -> str:
    """The greedy continuation of a prompt, the end token shown."""
    import torch

    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
    mask = torch.ones_like(ids)
    with torch.inference_mode():
        out = model.generate(
            ids, attention_mask=mask, max_new_tokens=40, do_sample=False, pad_token_id=tokenizer.eos_token_id
        )
    return str(tokenizer.decode(out[0, ids.shape[1] :])).replace("\n", " ").replace("<|", "&lt;|")
