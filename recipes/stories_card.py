"""The model card of bundled:stories, written from what was measured."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PreTrainedModel, PreTrainedTokenizerFast

    from shoal.evaluation.stories import PairScores, StoryMeasure

PROMPTS = ("Once upon a time", "Tim had a red ball.", "The bear said", "Lily wanted a cake, but", "One day, a cat")
SAMPLE_TOKENS = 90
TEMPERATURE = 0.6


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of the model and of its making."""

    done: Mapping[str, Any]
    """The result of the run."""

    corpora: Mapping[str, tuple[int, int]]
    """Documents and bytes that it was trained on."""

    held_out: Mapping[str, int]
    licences: Mapping[str, str]
    checked: int
    """Documents that were checked to count up nowhere."""

    nearest: float
    """The greatest Jaccard index of a held-out story with a document of the training."""

    stored: str
    bits: Mapping[str, StoryMeasure]
    pairs: Mapping[str, PairScores]
    seed: int

    def comparison(self) -> str:
        """The table of the two models."""
        lines = ["| model | held-out TinyStories, bits per byte | Zorro |", "|---|---|---|"]
        for name, bits in self.bits.items():
            pairs = self.pairs[name]
            lines.append(
                f"| {name} | {bits.value:.3f} [{bits.low:.3f}, {bits.high:.3f}] | "
                f"{pairs.accuracy:.3f} [{pairs.interval.low:.3f}, {pairs.interval.high:.3f}] |"
            )
        return "\n".join(lines)

    def sources(self) -> str:
        """The table of the training text."""
        lines = ["| corpus | documents | bytes | held out | licence |", "|---|---|---|---|---|"]
        for name, (documents, size) in self.corpora.items():
            lines.append(
                f"| {name} | {documents:,} | {size:,} | {self.held_out.get(name, 0)} | {self.licences[name]} |"
            )
        return "\n".join(lines)


def card(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, facts: Facts) -> str:
    """The text of CARD.md."""
    config, done = model.config, facts.done
    memorised = done["memorised"]
    samples = "\n\n".join(f"> **{prompt}**{text}" for prompt, text in samples_of(model, tokenizer).items())
    return _wrapped(f"""# bundled:stories

A `LlamaForCausalLM` of {model.num_parameters():,} parameters (width {config.hidden_size}, {config.num_hidden_layers}
layers, {config.num_attention_heads} heads, feed-forward width {config.intermediate_size}, tied embeddings, places up to
{config.max_position_embeddings}, trained on texts of up to 512 tokens) that tells stories for small children, for
experiments on small models. It is made by `shoal pretrain recipes/stories.toml`; `recipe.toml` holds every setting,
`curve.jsonl` the loss. The weights are stored in {facts.stored}. MIT, as shoal is.

## How good it is

{facts.comparison()}

Both read the same {facts.held_out["tinystories"]} stories. stories260K has been trained on the whole set, most likely
on these stories too, and has a seventh of the parameters; this model was trained on
{facts.corpora["tinystories"][0]:,} others. Brackets are 95% intervals, over stories for bits and over pairs for Zorro
(all pairs of 23 paradigms; chance is .5).

The held-out stories are those of `recipes/stories_held_out.txt`, by their ids. The greatest Jaccard index of word
5-grams between one of them and any document of the training is {facts.nearest:.2f}.

Of {memorised["training_prefixes"]} training prefixes of {memorised["prefix_tokens"]} tokens, {memorised["training"]}
are continued word for word for {memorised["tokens"]} tokens; of {memorised["held_out_prefixes"]} held-out ones,
{memorised["held_out"]}.

## The training text

{facts.sources()}

{done["tokens"]:,} tokens were read in {done["steps"]:,} steps, seed {facts.seed}, {done["precision"]}, on one core of a
CPU in {done["cpu_seconds"]:,.0f} CPU-seconds. No text comes from another language model but TinyStories itself, which
its authors had GPT-4 write.

**The numbers stand alone. Nowhere in the training text do three numbers ascend by one** (`11 111 1111`; `1, 2, 3`;
one, two, three): `shoal.corpora` has checked all {facts.checked:,} documents; paragraphs that count were
dropped. So the model has never seen counting.

## The tokenizer

Byte-level BPE, {len(tokenizer):,} tokens, learned on the stories of the training. A run of ones is cut into fours from
the left, so unary numbers have a token cycle of period 4. Other digits are cut into pairs. `{tokenizer.eos_token}` ends
a text and serves as the padding token; no token is put at the beginning. In training, three texts of four stood behind
an end token and one behind nothing, so that a prompt may do either.

## Samples (temperature {TEMPERATURE}, seeds 0 to {len(PROMPTS) - 1}, up to {SAMPLE_TOKENS} tokens)

{samples}

## Limits

Two million parameters and little text: sentences are mostly sound, stories lose their thread, and names and things are
mixed up. A prompt that asks for a number, or ends in "said" without a comma, can fall into a run of ones, from the
stories about numbers. The books are of 1870 to 1925 and carry that time's attitudes.
""")


def _wrapped(text: str) -> str:
    """Paragraphs in lines of equal length; tables, samples and headings as they are."""
    parts = text.split("\n\n")
    return (
        "\n\n".join(
            part if part.startswith(("|", ">", "#")) else textwrap.fill(part, 120, break_on_hyphens=False)
            for part in parts
        )
        + "\n"
    )


def samples_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast) -> dict[str, str]:
    """A continuation of each prompt."""
    import torch

    texts = {}
    for seed, prompt in enumerate(PROMPTS):
        ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            out = model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=SAMPLE_TOKENS,
                do_sample=True,
                temperature=TEMPERATURE,
                top_k=0,
                pad_token_id=tokenizer.eos_token_id,
            )
        text = str(tokenizer.decode(out[0, ids.shape[1] :]))
        texts[prompt] = " ".join(text.split(" ")).replace("\n", " ").replace("<|", "&lt;|")
    return texts
