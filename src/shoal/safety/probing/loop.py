"""`run_probes`: probe a model, curate its failures, tune it again, and compare, round by round.

Everything is in one folder and a killed run is resumed from it: the scores of each model's answers prompt by prompt,
the curated rows of each round, the tuned models. Seeds of the part test are measured in every round and learned from in
none.

Cost: an answer of ``max_tokens`` for each probe and model; a tuning for each round.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.curation.classifier import make_vectorizer
from shoal.errors import ShoalError
from shoal.files import atomic_file
from shoal.progress import no_progress
from shoal.safety.head import shipped_refusal_head
from shoal.safety.probing.claims import judge_claims
from shoal.safety.probing.clusters import failure_clusters
from shoal.safety.probing.comparing import compare_losses, compare_models, has_failed
from shoal.safety.probing.curating import CuratedRow, curate_rows
from shoal.safety.probing.export import EXPORT_SUFFIXES, write_probes
from shoal.safety.probing.failures import failure_share
from shoal.safety.probing.groups import ProbeScorers, count_groups, report_notes
from shoal.safety.probing.loop_folder import REPORT, claim_folder, forget_unused, held_folder, write_lines
from shoal.safety.probing.mutations import find_mutations
from shoal.safety.probing.own_answers import own_answer_rows
from shoal.safety.probing.probes import Probe, make_probes
from shoal.safety.probing.result import ProbedModel, ProbeGroup, ProbeReport
from shoal.safety.probing.settings import ProbeSettings
from shoal.safety.probing.tuning import MAX_ANSWER_TOKENS, MAX_PROMPT_TOKENS, tune_on_rows
from shoal.safety.prompt_scores import PromptScore, score_model
from shoal.safety.tuning import ChatFormat, HeldOutLoss, held_out_losses
from shoal.serving import GenerationModel, load_for_generation
from shoal.textfiles import read_json_lines

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from shoal.progress import Progress
    from shoal.safety.harm.scorer import HarmScorer
    from shoal.safety.head import RefusalHead
    from shoal.safety.probing.clusters import ProbeCluster
    from shoal.safety.probing.probes import ProbeSeed
    from shoal.safety.tuning import InstructionPair
    from shoal.statistics import ErrorRates

_HELD_OUT_SHARE = 4
"""One instruction in four is held out, for the loss; at most `_MAX_HELD_OUT`."""

_MAX_HELD_OUT = 60
_MIN_HELD_OUT = 6


def run_probes(
    model: str,
    seeds: Sequence[ProbeSeed],
    folder: str | os.PathLike[str],
    *,
    settings: ProbeSettings | None = None,
    instructions: Sequence[InstructionPair] = (),
    head: RefusalHead | None = None,
    harm: HarmScorer | None = None,
    harm_errors: ErrorRates | None = None,
    device: str = "auto",
    progress: Progress = no_progress,
) -> ProbeReport:
    """Run the loop in a folder; the same call resumes a killed one.

    Args:
        model: its spec.
        seeds: as `read_probe_seeds` gives them.
        folder: made where it does not exist; holds report.json in the end.
        settings: what to do.
        instructions: harmless ones with answers: counterweights in training, and every fourth for the held-out loss.
        head: scores the answers; None is the one that comes with shoal.
        harm: scores how harmful the answers to test probes are; None leaves that out.
        harm_errors: of that scorer, by which its shares are corrected.
        device: where the model runs and is trained.
        progress: called with (what, done, total).

    Raises:
        UsageError: the model has no chat template, or a setting cannot be used.
        DataError: all answers of a model are empty.
        StoreError: the folder holds the loop of another model, of other seeds or settings, or another process works
            in it.
    """
    chosen = settings or ProbeSettings()
    target = Path(folder)
    claim_folder(target, model, seeds, chosen, instructions)
    scorers = ProbeScorers(head=head or shipped_refusal_head(), harm=harm, harm_errors=harm_errors)
    with held_folder(target):
        try:
            return _Loop(model, seeds, target, chosen, instructions, scorers, device, progress).run()
        except ShoalError:
            forget_unused(target)
            raise


class _Loop:
    """A loop while it runs."""

    def __init__(
        self,
        model: str,
        seeds: Sequence[ProbeSeed],
        folder: Path,
        settings: ProbeSettings,
        instructions: Sequence[InstructionPair],
        scorers: ProbeScorers,
        device: str,
        progress: Progress,
    ) -> None:
        self.model, self.seeds, self.folder, self.settings = model, seeds, folder, settings
        self.head, self.scorers, self.device, self.progress = scorers.head, scorers, device, progress
        self.mutations = find_mutations(settings.mutations)
        if settings.vectors:
            make_vectorizer(settings.vectors)  # a fault of the spec is met before anything is answered
        held_out = min(len(instructions) // _HELD_OUT_SHARE, _MAX_HELD_OUT)
        self.held_out = list(instructions[::_HELD_OUT_SHARE][:held_out]) if held_out >= _MIN_HELD_OUT else []
        known = {pair.instruction for pair in self.held_out}
        self.free = [pair for pair in instructions if pair.instruction not in known]
        self.rows: list[CuratedRow] = []
        # Without a tuning nothing is learned from, and every seed is measured.
        measured = [seed for seed in seeds if seed.part == "test" or not settings.rounds]
        self.test = self._make(measured, 0)

    def run(self) -> ProbeReport:
        """All rounds."""
        spec = self.model
        models: list[ProbedModel] = []
        tested: list[dict[str, PromptScore]] = []
        losses: list[list[HeldOutLoss]] = []
        for number in range(self.settings.rounds + 1):
            live = load_for_generation(spec, device=self.device)
            tested.append(self._score(live, number, self.test, "test"))
            losses.append(self._losses(live))
            last = number == self.settings.rounds
            train = [] if last else self._make(self._train_seeds(), number + 1)
            scores = self._score(live, number, train, "train") if train else {}
            del live  # the training loads the weights again
            probes, found = (train, scores) if train else (self.test, tested[-1])
            clusters, of_seed = self._clusters(probes, found) if train or not self.settings.rounds else ((), {})
            curated = [] if last else self._curate(probes, found, of_seed, number + 1)
            loss = losses[-1]
            models.append(
                ProbedModel(
                    name=_name(number),
                    round=number,
                    test=self._groups(self.test, tested[-1]),
                    train=self._groups(train, scores, harm=False),
                    clusters=clusters,
                    curated=len(curated),
                    held_out_loss=sum(one.nats / max(one.tokens, 1) for one in loss) / len(loss) if loss else None,
                )
            )
            # A model that fails nowhere has nothing to learn from.
            if last or not curated:
                break
            self.rows += curated
            spec = self._tune(spec, number + 1)
        return self._report(models, tested, losses)

    def _tune(self, spec: str, number: int) -> str:
        """Train on all rows so far; the spec of the tuned model."""
        folder = self.folder / f"model-{number}"
        tune_on_rows(
            spec,
            self.rows,
            folder,
            replace(self.settings.training, seed=self.settings.seed),
            device=self.device,
            what=f"round {number}: tuning",
            progress=self.progress,
        )
        return str(folder)

    def _make(self, seeds: Sequence[ProbeSeed], number: int) -> list[Probe]:
        draw_seed = self.settings.seed * 1000 + number
        return make_probes(seeds, self.mutations, per_seed=self.settings.mutations_per_seed, draw_seed=draw_seed)

    def _train_seeds(self) -> list[ProbeSeed]:
        return [seed for seed in self.seeds if seed.part == "train"]

    def _score(self, live: GenerationModel, number: int, probes: Sequence[Probe], part: str) -> dict[str, PromptScore]:
        scores = score_model(
            live,
            [probe.prompt for probe in probes],
            self.head,
            max_tokens=self.settings.max_tokens,
            plain=self.settings.plain,
            harm=self.scorers.harm if part == "test" else None,
            records=self.folder / f"scores-{number}-{part}.jsonl",
            keep_answers=self.settings.keep_answers,
            what=f"round {number}: {part} probes answered",
            progress=self.progress,
        )
        return {score.prompt: score for score in scores}

    def _losses(self, live: GenerationModel) -> list[HeldOutLoss]:
        if not self.held_out or self.settings.plain:
            return []
        chat = ChatFormat(tokenizer=live.tokenizer)
        examples = chat.fit(self.held_out, max_prompt_tokens=MAX_PROMPT_TOKENS, max_answer_tokens=MAX_ANSWER_TOKENS)
        return held_out_losses(live.loaded, examples) if examples else []

    def _groups(
        self, probes: Sequence[Probe], scores: Mapping[str, PromptScore], *, harm: bool = True
    ) -> tuple[ProbeGroup, ...]:
        scorers = self.scorers if harm else replace(self.scorers, harm=None)
        return count_groups(probes, scores, scorers, confidence=self.settings.confidence)

    def _clusters(
        self, probes: Sequence[Probe], scores: Mapping[str, PromptScore]
    ) -> tuple[tuple[ProbeCluster, ...], dict[str, str]]:
        probed: dict[str, list[bool]] = defaultdict(list)
        for probe in probes:
            value = has_failed(probe, scores[probe.prompt])
            if probe.harmful and value is not None:
                probed[probe.seed].append(value)
        failed = {seed: sum(values) for seed, values in probed.items() if any(values)}
        if not failed:
            return (), {}
        return failure_clusters(
            failed,
            probed,
            make_vectorizer(self.settings.vectors or f"hidden:{self.model}"),
            partial(
                failure_share,
                errors=self.head.errors["refused"],
                harmful=True,
                confidence=self.settings.confidence,
            ),
        )

    def _curate(
        self, probes: Sequence[Probe], scores: Mapping[str, PromptScore], of_seed: Mapping[str, str], number: int
    ) -> list[CuratedRow]:
        path = self.folder / f"curated-{number}.jsonl"
        if path.exists():
            # The model of the round was trained on these.
            return [CuratedRow(**row) for _, row in read_json_lines(path)]
        failures = [probe for probe in probes if has_failed(probe, scores[probe.prompt])]
        rows = curate_rows(
            [probe for probe in failures if probe.harmful],
            of_seed,
            self.free,
            self.mutations,
            max_rows=self.settings.max_rows,
            round_number=number,
            known=self.rows,
            draw_seed=self.settings.seed,
        )
        refused = [probe for probe in failures if not probe.harmful]
        if self.settings.own_answers and refused:
            rows += own_answer_rows(
                load_for_generation(self.model, device=self.device),
                refused,
                self.head,
                max_rows=self.settings.max_rows // 2,
                round_number=number,
                draw_seed=self.settings.seed,
                progress=self.progress,
            )
        write_lines(path, [row.to_dict() for row in rows])
        return rows

    def _report(
        self,
        models: Sequence[ProbedModel],
        tested: Sequence[dict[str, PromptScore]],
        losses: Sequence[Sequence[HeldOutLoss]],
    ) -> ProbeReport:
        steps = [(place - 1, place) for place in range(1, len(models))]
        if len(models) > 2:
            steps.append((0, len(models) - 1))
        errors = self.head.errors["refused"]
        report = ProbeReport(
            model=self.model,
            models=tuple(models),
            comparisons=tuple(
                one
                for first, second in steps
                for one in compare_models(
                    (models[first].name, models[second].name), self.test, tested[first], tested[second]
                )
            ),
            claims=judge_claims((models[0].name, models[-1].name), self.test, tested[0], tested[-1], errors)
            if steps
            else (),
            losses=tuple(
                compare_losses((models[first].name, models[second].name), losses[first], losses[second])
                for first, second in steps
                if losses[first] and losses[second]
            ),
            seeds=dict(Counter(f"{'harmful' if one.harmful else 'harmless'}, {one.part}" for one in self.seeds)),
            mutations=tuple(mutation.name for mutation in self.mutations),
            error_rates=errors.to_dict(),
            confidence=self.settings.confidence,
            notes=report_notes(self.settings, self.seeds, self.scorers, models=len(models), losses=bool(self.held_out)),
        )
        write_lines(self.folder / "probes.jsonl", [probe.to_dict() for probe in self.test])
        for suffix in EXPORT_SUFFIXES:
            write_probes(self.test, self.folder / f"probes-export{suffix}")
        with atomic_file(self.folder / REPORT) as whole:
            whole.write_text(json.dumps(report.to_dict(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return report


def _name(number: int) -> str:
    return "before tuning" if number == 0 else f"after round {number}"
