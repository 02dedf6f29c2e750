"""``shoal inspect``: a model on a text: attention, lenses, neurons, interventions and training dynamics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from shoal.cli.inspect_work import Interventions, Views, over_training, read_or_train_lens, write_page
from shoal.cli.options import Device, Json, MaybeRows, Part, Plot, Seed, Texts
from shoal.cli.terminal import check_target, print_json, print_notice, progress_bars, refuse_options
from shoal.errors import UsageError


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
    from shoal.corpora import read_documents
    from shoal.insight import AnalysisOptions, TextQuery
    from shoal.models import load_model

    if (model is None) == (run is None):
        raise UsageError("give one of --model SPEC and --run FOLDER")
    if run is not None and (pairs or data or tuned_lens):
        raise UsageError("--pairs, --data and --tuned-lens inspect one model; give --model for them")
    if ablate and data is None:
        raise UsageError("--ablate needs the items to score under ablation; give --data FILE")
    # At its default an option changes nothing, so that it may stand there.
    if pairs is None:
        unused = {"--site": site != "attention.heads", "--method": method != "activation"}
        refuse_options(unused, "nothing is patched without --pairs FILE")
    if data is None:
        refuse_options(
            {"--part": part != "all", "--ablation": ablation != "mean"}, "nothing is ablated without --data FILE"
        )
    if plot is not None:
        check_target(plot)
    documents = list(read_documents(corpus)) if corpus is not None else []
    query = TextQuery(text=text, target=target, foil=foil, position=position)
    with progress_bars() as progress:
        options = AnalysisOptions(seed=seed, progress=progress)
        views = Views(query=query, corpus=documents, options=options)
        if run is not None:
            steps, causes = over_training(run, views, device, plot)
            found, record = steps[max(steps)], {"checkpoints": {step: view.to_dict() for step, view in steps.items()}}
        else:
            loaded = load_model(str(model), device=device)
            # Before the interventions, which may take minutes.
            views.check(loaded)
            interventions = Interventions(
                pairs=pairs,
                site=site,
                method=method,
                data=data,
                part=part,
                ablated=ablate or [],
                ablation=ablation,
                options=options,
            )
            lens = read_or_train_lens(loaded, tuned_lens, documents, options) if tuned_lens is not None else None
            causes = interventions.run(loaded)
            found = views.inspect(loaded, str(model), lens)
            record = found.to_dict()
    if plot is not None:
        write_page(plot, found, causes)
        print_notice(f"written to {plot}" + (", and one page per checkpoint beside it" if run is not None else ""))
    if as_json:
        print_json(record | {name: value.to_dict() for name, value in causes.items()})
        return
    print("\n\n".join(map(str, [found, *causes.values()])))
