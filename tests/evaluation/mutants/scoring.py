"""The suite of checks, scored: which mutants it kills, and the proof that each of them is one."""

from __future__ import annotations

import functools
import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from shoal.evaluation.certification import CheckResult, certify
from shoal.evaluation.certification.checks import ScoresDummy
from shoal.evaluation.certification.item_kinds import EXACT_MATCH
from shoal.models.dummies import set_answers, tiny_tokenizer
from shoal.tasks import Example

from . import early, late_judging, late_plumbing
from .base import Batched
from .correct import generate_one_by_one, logits_one_by_one

HALVES = {"early": (early,), "late": (late_judging, late_plumbing)}
"""Those that were written while the dummies were made, and those that came when the dummies had been frozen."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant."""

    name: str
    fault: str
    half: str
    killed_by: CheckResult | None
    """The first check that failed."""
    changes: str | None
    """A case on which its score is not that of `generate()`; None where no case was found, so it may be no mutant."""
    seconds: float
    """CPU time of its certificate."""


def mutants(half: str) -> list[type[Batched]]:
    names = {module.__name__ for module in HALVES[half]}
    return [kind for kind in Batched.mutants if kind.__module__ in names]


def verdict(kind: type[Batched], half: str) -> Verdict:
    """Certify a mutant up to the first check that fails, and look for a case that shows its fault."""
    start = time.process_time()
    killer = killed_by(kind)
    seconds = time.process_time() - start
    hint = killer.name if killer else ""
    return Verdict(kind.__name__, kind.__doc__ or "", half, killer, _shown_on(kind, hint), seconds)


def killed_by(kind: type[Batched]) -> CheckResult | None:
    """The first check that a mutant fails; None where it passes them all."""
    certificate = certify(kind(), stop_at_first_failure=True)
    return None if certificate.passed else certificate.checks[-1]


def _shown_on(kind: type[Batched], hint: str) -> str | None:
    """The first case on which a mutant's scores are not those of the references; the hinted one is tried first."""
    for name, case in sorted(_cases().items(), key=lambda named: named[0] != hint):
        model, tokenizer, examples = case()
        mutant = kind()
        if _differ(mutant(model, tokenizer, examples), _reference(name)):
            return name
        if name == "changing model":
            lesson = [
                Example(prompt=one.prompt, completion=two.completion) for one, two in itertools.pairwise(examples)
            ]
            set_answers(model, tokenizer, EXACT_MATCH.pairs(lesson))
            if _differ(mutant(model, tokenizer, examples), _references(model, tokenizer, examples)):
                return f"{name}, taught anew"
    return None


@functools.cache
def _cases() -> dict[str, Any]:
    """A name to what makes a model, a tokenizer and examples: the dummies of the suite, and one small Llama."""
    dummies = {
        check.name: functools.partial(_subject, check)
        for check in EXACT_MATCH.checks(fast=False)
        if isinstance(check, ScoresDummy)
    }
    return {**dummies, "a small Llama": _small_llama}


def _subject(check: ScoresDummy) -> tuple[Any, Any, Any]:
    subject = check.case(0)
    return subject.model, subject.tokenizer, list(subject.examples)


def _small_llama() -> tuple[Any, Any, Any]:
    """Fresh weights; half of the completions are what it says anyhow."""
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = tiny_tokenizer(pad="end")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        initializer_range=0.5,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).eval()
    examples = []
    for place, prompt in enumerate(("a bed", "cab 11", "dad", "a face a", "h", "egg: 1", "gab 1 11", "fed a bad egg")):
        ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
        said = model.generate(ids, max_new_tokens=6, do_sample=False, pad_token_id=tokenizer.pad_token_id)
        text = tokenizer.decode(said[0, ids.shape[1] :], skip_special_tokens=True)
        examples.append(Example(prompt=prompt + ":", completion=f" {text[:4]}" if place % 2 else " a", ends=False))
    return model, tokenizer, examples


@functools.cache
def _reference(name: str) -> list[dict[str, Any]]:
    return _references(*_cases()[name]())


def _references(model: Any, tokenizer: Any, examples: Any) -> list[dict[str, Any]]:
    """Verdicts by `generate()`, one item at a time; likelihoods, which it does not tell, from full logits."""
    generated = generate_one_by_one(model, tokenizer, examples)
    scored = logits_one_by_one(model, tokenizer, examples)
    return [{**likelihood, **record} for likelihood, record in zip(scored, generated, strict=True)]


def _differ(result: Any, right: list[dict[str, Any]]) -> bool:
    records = list(result)
    if len(records) != len(right):
        return True
    pairs = [(record[name], due[name]) for record, due in zip(records, right, strict=True) for name in record]
    summaries = _summaries(right)
    pairs += [(getattr(result, name), due) for name, due in summaries if hasattr(result, name)]
    return any(not _equal(value, due) for value, due in pairs)


def _summaries(right: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    yield "accuracy", sum(record["exact_match"] for record in right) / len(right)
    total, tokens = (sum(record[name] for record in right) for name in ("log_likelihood", "tokens"))
    yield "perplexity", math.exp(-total / tokens)


def _equal(value: Any, due: Any) -> bool:
    if isinstance(due, float):
        return math.isnan(due) or math.isclose(value, due, rel_tol=1e-4, abs_tol=1e-4)
    return bool(value == due)
