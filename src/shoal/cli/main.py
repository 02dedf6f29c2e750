"""The entry point: finds the verb, and turns every expected fault into one line and exit code 2.

``shoal --help`` must answer at once, so the verbs are named by import path and their help stands here: nothing of
torch, NumPy or the rooms is imported before a verb is chosen.
"""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, get_args

from cyclopts import App, CycloptsError, Group, Parameter, convert

import shoal
from shoal.cli.terminal import leave_quietly, print_notice, terminal
from shoal.errors import ShoalError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cyclopts import Token

# As argparse exits; 130 is 128 and the number of SIGINT, as shells give it.
USAGE_ERROR = 2
INTERRUPTED = 130

GROUPS = {
    "Experiments": {
        "run": "Run an experiment: certify the evaluator, train, evaluate, and give a verdict with a report.",
        "compare": "Compare two runs of an experiment, item by item and seed by seed.",
        "report": "Write the report of a run, a sweep, a comparison or a pretraining from its folder.",
        "power": "Compute how many seeds and items would show an effect.",
        "task": "Check a task and what its shortcuts get right, write its rows, or measure how narrow its split is.",
        "certify": "Prove an evaluator on dummy models of known accuracy.",
        "explore": "Lead from the counting experiment to a hypothesis of your own: change one thing, predict, run.",
        "studio": "Show runs, models and data in a browser: lists, comparisons, curves while they grow, a playground.",
        "doctor": "Check the installation: packages, extras, threads, precision, devices, disk, and a self-test.",
    },
    "Training": {
        "pretrain": "Train a small model from scratch by a recipe.",
        "tune": "Fine-tune a model on rows of prompts and completions.",
        "crossvalidate": "Fine-tune a model once per fold and score what was left out, without leakage between groups.",
        "watch": "Find spikes, plateaus and divergence in the log of a training that is over.",
        "overfit": "Compare methods against overfitting at equal compute, with intervals and asymptotes.",
        "sweep": "Train a recipe over many settings, on one machine or a Ray cluster.",
        "tokenizer": "Train a tokenizer on a corpus, of a given size or of the best one.",
    },
    "Models": {
        "chat": "Talk to an instruct model, or have it answer one message.",
        "serve": "Serve a model by OpenAI's protocol: completions with log-probabilities, chat, streams.",
        "generate": "Continue prompts with a model, greedily or sampled.",
        "merge": "Merge the records of an evaluation that was run in shards.",
        "score": "Evaluate a model on rows of prompts and completions, without generate().",
        "eval": "Evaluate a model on benchmarks, with task files of lm-evaluation-harness read as they are.",
        "perplexity": "Measure how well models predict plain texts, and show what surprises them.",
        "safety": "Count how often answers refuse, tune models for safety, and ask what refusals follow.",
        "rate": "Rate the stories of models, by program and by a certified judge.",
        "explain": "Find out whether a model follows the rule of a task or a shortcut.",
        "inspect": "Look inside a model: attention, layers, neurons, interventions and training dynamics.",
        "layers": "Measure the cost of layer types, of two attention implementations, and of number formats.",
        "export": "Write a model as safetensors, GGUF or ONNX, verified against its source.",
    },
    "Text": {
        "corpus": "Describe a corpus, clean it, remove duplicates, augment it, or search it for held-out items.",
        "curate": "Filter a corpus by quality, and report what went and why.",
        "stories": "Generate stories for young children whose plot facts are known.",
        "tokens": "Show how tokenizers split a text and where they differ.",
        "words": "Show tokens, stems, lemmas and parts of speech of a text word by word.",
        "vectors": "Show token vectors; train, query and judge word vectors; find the smallest sufficient dimension.",
        "segment": "Split a text where its words, style, emotion or topic change.",
    },
    "Streams": {
        "changes": "Find where a stream of numbers or symbols changes its distribution.",
    },
}
"""The verbs in the groups that ``shoal --help`` shows, with their help."""

VERBS = {verb: text for verbs in GROUPS.values() for verb, text in verbs.items()}


def make_app() -> App:
    """The application with all of its verbs, none of them imported."""
    app = App(
        name="shoal",
        help="A laboratory for small language models: did the model learn the rule, or a shortcut?",
        help_epilogue="Every verb takes --help. --debug shows the traceback of an error.",
        help_format="plaintext",
        version=shoal.__version__,
        # Cyclopts would draw a box around an error and exit with 1; `main` prints one line.
        print_error=False,
        exit_on_error=False,
        # Cyclopts would exit without a line on how to resume.
        suppress_keyboard_interrupt=False,
        default_parameter=Parameter(converter=exactly),
    )
    for position, (name, verbs) in enumerate(GROUPS.items()):
        # Without a key cyclopts sorts groups by name.
        group = Group(name, sort_key=position)
        for verb, text in verbs.items():
            app.command(f"shoal.cli.{verb}:{verb}", name=verb, help=text, group=group)
    return app


def exactly(kind: Any, tokens: Sequence[Token]) -> Any:
    """The value of a parameter; 2.5 is refused where a whole number is expected, 2.0 is taken as 2.

    Args:
        kind: the type hint of the parameter.
        tokens: the words that were given for it.

    Raises:
        ValueError: A whole number was expected.
    """
    # Cyclopts itself rounds 2.5 to 2 without a word, and a number of seeds or tokens would not be the one that was
    # given.
    kinds = set(_leaves(kind))
    # Where a float or a text is allowed too, a fraction is one of those.
    if int in kinds and not kinds & {float, str}:
        broken = [token.value for token in tokens if _is_broken(token.value)]
        if broken:
            raise ValueError(f"{broken[0]} is no whole number")
    return convert(kind, tokens)


def _is_broken(word: str) -> bool:
    """Whether a word is a number with a fraction."""
    with suppress(ValueError):
        return "." in word and not float(word).is_integer()
    return False


def _leaves(kind: Any) -> Iterator[Any]:
    """The types that a hint is made of."""
    inner = get_args(kind)
    if not inner:
        yield kind
    for one in inner:
        yield from _leaves(one)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: The words after ``shoal``; ``sys.argv`` where it is None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    # Taken out by hand, so that it may stand before or behind the verb without being an option of each.
    words = [word for word in words if word != "--debug"]
    with terminal():
        code = _run(words, debug=debug)
    if code is not None:
        sys.exit(code)


def _run(words: list[str], *, debug: bool) -> int | None:
    """Run the words of the command line; the exit code where something went wrong."""
    try:
        # For the near name that the message suggests.
        if words and not words[0].startswith("-") and words[0] not in VERBS:
            raise UnknownNameError("verb", words[0], VERBS)
        # Cyclopts would otherwise hand a verb's result to sys.exit.
        make_app()(words, result_action="return_value")
        if sys.stdout is not None:
            sys.stdout.flush()
    except (ShoalError, CycloptsError, OSError, KeyboardInterrupt) as fault:
        if debug:
            if isinstance(fault, ShoalError):
                # Below the traceback: each error has a section of its name on that page.
                fault.add_note(f"docs/errors.md#{type(fault).__name__.lower()} explains it")
            raise
        return _print_fault(fault)
    return None


def _print_fault(fault: BaseException) -> int:
    """Print what a person needs to know of a fault, in one line, and return the exit code."""
    if isinstance(fault, KeyboardInterrupt):
        print_notice("shoal: interrupted; finished work is saved, and the same command resumes")
        return INTERRUPTED
    if isinstance(fault, BrokenPipeError):
        leave_quietly()  # the reader of our output has gone
        return 0
    print_notice(f"shoal: {_one_line(fault)}")
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        leave_quietly()
    return USAGE_ERROR


def _one_line(fault: BaseException) -> str:
    if isinstance(fault, OSError) and fault.errno == errno.ENOSPC:
        return f"the disk is full ({fault.filename or 'while writing'}); free some space and run the same command again"
    if isinstance(fault, OSError) and fault.filename:
        return f"{fault.filename}: {fault.strerror}"
    return " ".join(str(fault).split())
