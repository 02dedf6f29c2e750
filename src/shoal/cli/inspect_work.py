"""The work of ``shoal inspect``: views of one model or of all checkpoints of a run, patching and ablation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from shoal.cli.rows import choose_part, read_model_rows
from shoal.errors import DataError, ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shoal.cli.options import PartChoice
    from shoal.insight import Findings, Inspection, TunedLens
    from shoal.models import LoadedModel
    from shoal.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The requested views of each model."""

    text: str
    corpus: list[str]
    target: str | None
    foil: str | None
    position: int
    seed: int

    def check(self, loaded: LoadedModel) -> None:
        """Raise the errors of `of`, before anything that takes long."""
        from shoal.insight import check_text

        check_text(
            loaded.model, loaded.tokenizer, self.text, target=self.target, foil=self.foil, position=self.position
        )

    def of(self, loaded: LoadedModel, name: str, progress: Progress, tuned: TunedLens | None = None) -> Inspection:
        """Every view that the model has."""
        from shoal.insight import inspect_text

        return inspect_text(
            loaded.model,
            loaded.tokenizer,
            self.text,
            name=name,
            corpus=self.corpus,
            target=self.target,
            foil=self.foil,
            position=self.position,
            tuned=tuned,
            seed=self.seed,
            progress=progress,
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
    seed: int

    def run(self, loaded: LoadedModel, progress: Progress) -> Findings:
        """The results of the interventions, by name."""
        from shoal.insight import ablate, patch_effects, read_pairs, read_places

        model, tokenizer = loaded.model, loaded.tokenizer
        common: dict[str, Any] = {"seed": self.seed, "progress": progress}
        pairs = read_pairs(self.pairs) if self.pairs is not None else []
        rows = read_model_rows(self.data, tokenizer) if self.data is not None else []
        examples = choose_part(rows, self.part) if rows else []
        named: Mapping[Literal["head", "neuron"], Any] = {"head": None}
        if self.ablated:
            named = read_places(model, self.ablated)
        found: dict[str, Any] = {}
        if pairs:
            found["patching"] = patch_effects(model, tokenizer, pairs, site=self.site, method=self.method, **common)
        for unit, places in named.items() if examples else ():
            found["ablation" if unit == "head" else "neuron_ablation"] = ablate(
                model, tokenizer, examples, unit=unit, places=places, how=self.ablation, **common
            )
        return found


def read_or_train_lens(loaded: LoadedModel, path: Path, documents: list[str], progress: Progress) -> TunedLens:
    """The tuned lens of a file, trained first where there is none."""
    from shoal.insight import TunedLens, train_tuned_lens

    if path.exists():
        return TunedLens.load(path)
    if not documents:
        raise UsageError(f"there is no tuned lens at {path}; give --corpus FILE to train one on")
    lens = train_tuned_lens(loaded.model, loaded.tokenizer, documents, progress=progress)
    lens.save(path)
    return lens


def over_training(
    run: Path, view: View, device: str, plot: Path | None, progress: Progress
) -> tuple[dict[int, Inspection], Findings]:
    """Every view at every checkpoint, by step, and the steps at which heads and neurons took their roles.

    One page per checkpoint is written beside ``plot``; the last one is left to the caller. Where a history cannot be
    computed, the last view has the reason.
    """
    from shoal.insight import checkpoint_folders
    from shoal.models import load_model

    folders = checkpoint_folders(run)
    view.check(load_model(str(folders[0][1]), device=device))
    histories, missing = _histories(run, view, device, progress)
    views: dict[int, Inspection] = {}
    for step, folder in folders:
        views[step] = view.of(load_model(str(folder), device=device), f"{run.name} at step {step}", progress)
        if plot is not None and step != folders[-1][0]:
            write_page(plot.with_name(f"{plot.stem}-{step}{plot.suffix}"), views[step], {})
    last = folders[-1][0]
    views[last] = replace(views[last], missing=views[last].missing | missing)
    return views, histories


def _histories(run: Path, view: View, device: str, progress: Progress) -> tuple[Findings, dict[str, str]]:
    """The steps at which heads and neurons took their roles; by name, why one cannot be computed."""
    from shoal.insight import neurons_over_training, roles_over_training

    wanted: dict[str, Any] = {"over_training": roles_over_training}
    if view.corpus:
        wanted["neurons_over_training"] = neurons_over_training
    found: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for name, follow in wanted.items():
        try:
            found[name] = follow(run, view.corpus, device=device, seed=view.seed, progress=progress)
        except (ModelError, DataError) as fault:
            missing[name] = str(fault)
    return found, missing


def write_page(plot: Path, found: Inspection, causes: Findings) -> None:
    """Write an inspection as one page."""
    from shoal.cli.files import write_whole
    from shoal.reports import inspection_page

    write_whole(plot, inspection_page(found, causes))
