"""``shoal inspect``: what is inside a model on a text, what its parts do, and when they came to do it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shoal.cli.inspect_work import Question, Trials, over_training, read_or_train_lens, write_page
from shoal.cli.rows import PartChoice
from shoal.errors import UsageError

if TYPE_CHECKING:
    from shoal.insight import Findings, Inspection


def inspect(
    text: str,
    /,
    *,
    model: str | None = None,
    run: Path | None = None,
    corpus: Path | None = None,
    target: str | None = None,
    foil: str | None = None,
    position: Annotated[int, Parameter(allow_leading_hyphen=True)] = -1,
    tuned_lens: Path | None = None,
    pairs: Path | None = None,
    site: str = "attention.heads",
    method: Literal["activation", "attribution"] = "activation",
    rows: Path | None = None,
    part: PartChoice = "all",
    without: Annotated[list[str] | None, Parameter(negative="", consume_multiple=False)] = None,
    ablation: Literal["zero", "mean", "resample"] = "mean",
    device: str = "auto",
    seed: int = 0,
    plot: Path | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Look inside a model while it reads a text.

    Parameters
    ----------
    text
        What the model reads.
    model
        A model spec.
    run
        Instead of a model: a folder of checkpoints whose names end with the step. Every view is made at each, and the
        moment at which a head takes its role is found.
    corpus
        A text file on which neurons are watched, and heads too; a line <|endoftext|> or a blank line ends a document.
    target
        Share out the logit of this token; what the model predicts otherwise.
    foil
        The token that it is compared with; the model's second choice otherwise.
    position
        The token of the text after which that is predicted; -1 is the last.
    tuned_lens
        Read layers through the tuned lens of this file, which is trained on the corpus and written where it is absent.
    pairs
        A JSONL file of prompt, counterfactual, target, foil: patch from one run into the other.
    site
        What is patched: residual_in, attention.heads, attention.output or mlp.output.
    method
        Patch by running the model once a place, or estimate all places from one gradient.
    rows
        Prompts and completions, .jsonl or .parquet: score them without each head, or what --without names.
    part
        Of rows with a column part, as shoal task writes it: all, those seen or those held_out.
    without
        A head or neuron as the tables name it, --without "block 2 neuron 17"; several times for several.
    ablation
        What stands in for a head that is taken away.
    device
        auto, cpu or cuda.
    seed
        Of random tokens and of the models that are compared with.
    plot
        Write everything as one HTML page here; with --run, a page a checkpoint beside it.
    as_json
        Print everything as JSON on standard output.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.cli.files import check_target
    from shoal.corpora import read_documents
    from shoal.models import load_model

    if (model is None) == (run is None):
        raise UsageError("give one of --model SPEC and --run FOLDER")
    if run is not None and (pairs or rows or tuned_lens):
        raise UsageError("--pairs, --rows and --tuned-lens look at one model; give --model for them")
    if without and rows is None:
        raise UsageError("--without needs the items that are scored without it; give --rows FILE")
    if plot is not None:
        check_target(plot)
    documents = list(read_documents(corpus)) if corpus is not None else []
    question = Question(text=text, corpus=documents, target=target, foil=foil, position=position, seed=seed)
    with progress_bars() as progress:
        if run is not None:
            views, causes = over_training(run, question, device, plot, progress)
            found, said = views[max(views)], {"checkpoints": {step: view.to_dict() for step, view in views.items()}}
        else:
            loaded = load_model(str(model), device=device)
            question.check(loaded)
            trials = Trials(
                pairs=pairs,
                site=site,
                method=method,
                rows=rows,
                part=part,
                without=without or [],
                ablation=ablation,
                seed=seed,
            )
            lens = read_or_train_lens(loaded, tuned_lens, documents, progress) if tuned_lens is not None else None
            causes = trials.find(loaded, progress)
            found = question.ask(loaded, str(model), progress, lens)
            said = found.to_dict()
    if plot is not None:
        write_page(plot, found, causes)
    if as_json:
        print_json(said | {name: value.to_dict() for name, value in causes.items()})
        return
    _print(found, causes)
    if plot is not None:
        print(f"drawn in {plot}" + (", and each checkpoint beside it" if run is not None else ""))


def _print(found: Inspection, causes: Findings) -> None:
    """The figures in a few lines each."""
    known = [bits for bits in found.surprisal if bits is not None]
    if known:
        print(f"{found.model}: {len(found.tokens)} tokens, {sum(known) / len(known):.2f} bits a token")
    if found.roles is not None:
        print(f"\n{len(found.roles.named)} of {len(found.roles.heads)} heads have a role")
        for head in found.roles.named:
            told = ", ".join(f"{role} {_best(head, role):.2f}" for role in head.roles)
            print(f"  block {head.block} head {head.head}  {told}")
    for reading in found.lens:
        first = found.names[reading.top_ids[-1][0]]
        print(f"  {reading.layer:10} says {first!r} ({reading.top_p[-1][0]:.0%}) after the last token")
    if found.attribution is not None:
        shared = found.attribution
        foil = "the mean" if shared.foil is None else repr(found.names[shared.foil])
        print(f"\n{found.names[shared.target]!r} against {foil}: {shared.total:+.3f} in logits, of it")
        for name, value in sorted(shared.parts.items(), key=lambda item: -abs(item[1]))[:8]:
            print(f"  {value:+8.3f}  {name}")
    if found.neurons is not None:
        print(f"\n{found.neurons.selective} of {found.neurons.all_neurons} neurons are selective; the furthest apart")
        for neuron in found.neurons.neurons[:8]:
            print(f"  block {neuron.block} neuron {neuron.neuron}  {neuron.fires_on()}")
    for effects in causes.values():
        print()
        for line in effects.lines():
            print(line)
    for view, why in found.missing.items():
        print(f"\nno {view.replace('_', ' ')}: {why}")


def _best(head: Any, role: str) -> float:
    """The score that shows a role, on random tokens or on text."""
    return float(max(head.scores[role], head.text_scores.get(role, 0.0)))
