"""The work of ``shoal inspect``: views of one model or of all checkpoints of a run, patching and ablation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from shoal.cli.rows import choose_part, read_model_rows
from shoal.cli.terminal import write_whole
from shoal.errors import DataError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.cli.options import PartChoice
    from shoal.insight import AnalysisOptions, Findings, HeadTypes, Inspection, TextQuery, TunedLens
    from shoal.models import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """The requested views of each model."""

    query: TextQuery
    corpus: list[str]
    options: AnalysisOptions

    def check(self, loaded: LoadedModel) -> None:
        """Raise the errors of `inspect`, before anything that takes long."""
        from shoal.insight import check_text

        check_text(loaded.model, loaded.tokenizer, self.query)

    def inspect(self, loaded: LoadedModel, name: str, tuned: TunedLens | None = None) -> Inspection:
        """Every view that the model has."""
        from shoal.insight import inspect_text

        return inspect_text(
            loaded.model,
            loaded.tokenizer,
            self.query,
            name=name,
            corpus=self.corpus,
            tuned=tuned,
            options=self.options,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Interventions:
    """The requested interventions: patching and ablation."""

    pairs: Path | None
    site: str
    method: Literal["activation", "attribution"]
    data: Path | None
    part: PartChoice
    ablated: list[str]
    ablation: Literal["zero", "mean", "resample"]
    options: AnalysisOptions

    def run(self, loaded: LoadedModel) -> Findings:
        """The results of the interventions, by name."""
        from shoal.insight import ablate, parse_components, patch_effects, read_prompt_pairs

        model, tokenizer = loaded.model, loaded.tokenizer
        pairs = read_prompt_pairs(self.pairs) if self.pairs is not None else []
        rows = read_model_rows(self.data, tokenizer) if self.data is not None else []
        examples = choose_part(rows, self.part) if rows else []
        # Without names every head is ablated in turn; neurons are too many for that, and must be named.
        named: Mapping[Literal["head", "neuron"], Any] = {"head": None}
        if self.ablated:
            named = parse_components(model, self.ablated)
        found: dict[str, Any] = {}
        if pairs:
            found["patching"] = patch_effects(
                model, tokenizer, pairs, site=self.site, method=self.method, options=self.options
            )
        for unit, components in named.items() if examples else ():
            found["ablation" if unit == "head" else "neuron_ablation"] = ablate(
                model, tokenizer, examples, unit=unit, components=components, method=self.ablation, options=self.options
            )
        return found


def read_or_train_lens(loaded: LoadedModel, path: Path, documents: list[str], options: AnalysisOptions) -> TunedLens:
    """The tuned lens of a file, trained first where there is none.

    Args:
        loaded: the model.
        path: the file of the lens; written where it does not exist.
        documents: texts to train it on.
        options: of the training, but for the seed.
    """
    from shoal.insight import TunedLens, train_tuned_lens

    if path.exists():
        return TunedLens.load(path)
    if not documents:
        raise UsageError(f"there is no tuned lens at {path}; give --corpus FILE to train one on")
    # Seed 0 whatever the command's: the file serves later commands with other seeds.
    lens = train_tuned_lens(loaded.model, loaded.tokenizer, documents, options=replace(options, seed=0))
    lens.save(path)
    return lens


def over_training(run: Path, views: Views, device: str, plot: Path | None) -> tuple[dict[int, Inspection], Findings]:
    """Every view at every checkpoint, by step, and the steps at which heads and neurons took their types.

    One page per checkpoint is written beside ``plot``; the last one is left to the caller. Where a history cannot be
    computed, the last view has the reason.

    Args:
        run: folder of checkpoints.
        views: what is computed at each.
        device: where the models run.
        plot: the page of the last checkpoint, beside which the others are written; None writes none.
    """
    from shoal.insight import checkpoint_folders
    from shoal.models import load_model

    folders = checkpoint_folders(run)
    # A text that the tokenizer cannot read is refused before every checkpoint has been gone through.
    views.check(load_model(str(folders[0][1]), device=device))
    steps: dict[int, Inspection] = {}
    for step, folder in folders:
        # One checkpoint in memory at a time.
        steps[step] = views.inspect(load_model(str(folder), device=device), f"{run.name} at step {step}")
        if plot is not None and step != folders[-1][0]:
            write_page(plot.with_name(f"{plot.stem}-{step}{plot.suffix}"), steps[step], {})
    last = folders[-1][0]
    histories, missing = _histories(run, views, device, steps[last].roles)
    steps[last] = replace(steps[last], missing=steps[last].missing | missing)
    return steps, histories


def _histories(run: Path, views: Views, device: str, last: HeadTypes | None) -> tuple[Findings, dict[str, str]]:
    """The steps at which heads and neurons took their types; by name, why one cannot be computed."""
    from shoal.insight import head_types_over_training, neurons_over_training

    wanted: dict[str, Any] = {"over_training": partial(head_types_over_training, last=last)}
    if views.corpus:
        wanted["neurons_over_training"] = neurons_over_training
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, follow in wanted.items():
        try:
            found[name] = follow(run, views.corpus, device=device, options=views.options)
        except (ModelError, DataError) as fault:
            missing[name] = str(fault)
    return found, missing


def write_page(plot: Path, found: Inspection, causes: Findings) -> None:
    """Write an inspection as one page.

    Args:
        plot: the file.
        found: the views.
        causes: results of interventions, by name.
    """
    from shoal.reports import inspection_page

    write_whole(plot, inspection_page(found, causes))
