"""``shoal inspect``: a model on a text: attention, lenses, neurons, interventions and training dynamics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from shoal.cli.inspect_work import Interventions, View, over_training, read_or_train_lens, write_page
from shoal.cli.options import Device, Json, MaybeRows, Part, Plot, Seed, Texts
from shoal.cli.terminal import say
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
    data: MaybeRows = None,
    part: Part = "all",
    ablate: Texts = None,
    ablation: Literal["zero", "mean", "resample"] = "mean",
    device: Device = "auto",
    seed: Seed = 0,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Look inside a model while it reads a text.

    Parameters
    ----------
    text
        Text that the model reads.
    model
        Model spec.
    run
        Folder of checkpoints whose names end with the step, instead of a model: every view is computed at each
        checkpoint, and the step at which a head takes its role is found. --plot writes one page per checkpoint.
    corpus
        Text file for neuron and head statistics; a line <|endoftext|> or a blank line ends a document.
    target
        Token whose logit is attributed to the model's components. Default: the predicted token.
    foil
        Token that the target is compared with. Default: the model's second choice.
    position
        Position of the token after which the target is predicted; -1 is the last.
    tuned_lens
        File of a tuned lens; where it does not exist, the lens is trained on the corpus and written.
    pairs
        JSONL file with the columns prompt, counterfactual, target and foil, for activation patching.
    site
        Activations to patch: residual_in, attention.heads, attention.output or mlp.output.
    method
        Patching method: activation (one run per place) or attribution (all places estimated from one gradient).
    ablate
        Head or neuron to ablate, as the tables name it: --ablate "block 2 neuron 17". Repeatable. Needs --data.
        Default: each head in turn.
    ablation
        Replacement of an ablated activation: zero, mean or resample.
    """
    from shoal.cli.console import print_json, progress_bars
    from shoal.cli.files import check_target
    from shoal.corpora import read_documents
    from shoal.models import load_model

    if (model is None) == (run is None):
        raise UsageError("give one of --model SPEC and --run FOLDER")
    if run is not None and (pairs or data or tuned_lens):
        raise UsageError("--pairs, --data and --tuned-lens inspect one model; give --model for them")
    if ablate and data is None:
        raise UsageError("--ablate needs the items to score under ablation; give --data FILE")
    if plot is not None:
        check_target(plot)
    documents = list(read_documents(corpus)) if corpus is not None else []
    view = View(text=text, corpus=documents, target=target, foil=foil, position=position, seed=seed)
    with progress_bars() as progress:
        if run is not None:
            views, causes = over_training(run, view, device, plot, progress)
            found, record = views[max(views)], {"checkpoints": {step: view.to_dict() for step, view in views.items()}}
        else:
            loaded = load_model(str(model), device=device)
            view.check(loaded)
            interventions = Interventions(
                pairs=pairs,
                site=site,
                method=method,
                data=data,
                part=part,
                ablated=ablate or [],
                ablation=ablation,
                seed=seed,
            )
            lens = read_or_train_lens(loaded, tuned_lens, documents, progress) if tuned_lens is not None else None
            causes = interventions.run(loaded, progress)
            found = view.of(loaded, str(model), progress, lens)
            record = found.to_dict()
    if plot is not None:
        write_page(plot, found, causes)
        say(f"written to {plot}" + (", and one page per checkpoint beside it" if run is not None else ""))
    if as_json:
        print_json(record | {name: value.to_dict() for name, value in causes.items()})
        return
    _print(found, causes)


def _print(found: Inspection, causes: Findings) -> None:
    """Print each view in a few lines."""
    known = [bits for bits in found.surprisal if bits is not None]
    if known:
        print(f"{found.model}: {len(found.tokens)} tokens, {sum(known) / len(known):.2f} bits per token")
    if found.roles is not None:
        print(f"\n{len(found.roles.named)} of {len(found.roles.heads)} heads have a role")
        for head in found.roles.named:
            scores = ", ".join(f"{role} {_best(head, role):.2f}" for role in head.roles)
            print(f"  block {head.block} head {head.head}  {scores}")
    for reading in found.lens:
        first = found.names[reading.top_ids[-1][0]]
        print(f"  {reading.layer:10} predicts {first!r} ({reading.top_p[-1][0]:.0%}) after the last token")
    if found.attribution is not None:
        attribution = found.attribution
        foil = "the mean" if attribution.foil is None else repr(found.names[attribution.foil])
        print(f"\nlogit of {found.names[attribution.target]!r} minus {foil}: {attribution.total:+.3f}, by component")
        for name, value in sorted(attribution.parts.items(), key=lambda item: -abs(item[1]))[:8]:
            print(f"  {value:+8.3f}  {name}")
    if found.neurons is not None:
        print(f"\n{found.neurons.selective} of {found.neurons.all_neurons} neurons are selective; the most selective")
        for neuron in found.neurons.neurons[:8]:
            print(f"  block {neuron.block} neuron {neuron.neuron}  {neuron.fires_on()}")
    for effects in causes.values():
        print()
        for line in effects.lines():
            print(line)
    for view, why in found.missing.items():
        print(f"\nno {view.replace('_', ' ')}: {why}")


def _best(head: Any, role: str) -> float:
    """The score of a role, on random tokens or on text, whichever is higher."""
    return float(max(head.scores[role], head.text_scores.get(role, 0.0)))
