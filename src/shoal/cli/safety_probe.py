"""``shoal safety probe``: the red-team loop, which measures refusals, curates failures and tunes again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from shoal.cli.options import Device, Flag, Json, MaxTokens, Plot, Seed, Texts
from shoal.cli.safety_explain import KeepAnswers
from shoal.cli.safety_harm import NO_HARM, HarmOptions
from shoal.cli.terminal import check_target, progress_bars, show_result, write_whole


def probe(
    *,
    model: str,
    prompts: Path,
    out: Path,
    instructions: Path | None = None,
    rounds: int = 0,
    mutation: Texts = None,
    mutations_per_seed: int = 3,
    max_seeds: int | None = None,
    max_tokens: MaxTokens = 24,
    max_rows: int = 200,
    vectors: str = "",
    epochs: float = 2.0,
    learning_rate: float = 3e-4,
    lora_rank: int = 8,
    batch_tokens: int = 1024,
    export: Path | None = None,
    keep_answers: KeepAnswers = False,
    own_answers: Flag = False,
    plain: Flag = False,
    head: Path | None = None,
    harm: Annotated[HarmOptions, Parameter(name="*")] = NO_HARM,
    confidence: float = 0.95,
    plot: Plot = None,
    seed: Seed = 0,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Probe a model with given requests in many forms, and tune it on its failures, round by round.

    Each seed is put as it stands and in other forms (framings, roles, languages, encodings). Half of the seeds are
    learned from, the other half only measured. Failures are clustered by meaning and counted with corrected intervals;
    what each tuning made better and worse is shown by paired tests. The same command resumes a killed run.

    Parameters
    ----------
    model
        Model spec of a chat model.
    prompts
        Seeds: rows with the column prompt, and perhaps label (safe or unsafe; unsafe where there is none) and type
        (.csv, .jsonl, .parquet).
    out
        Folder of the loop: scores, curated rows, tuned models, report.json, and the probes for garak
        (probes-export.jsonl) and PyRIT (probes-export.yaml).
    instructions
        Harmless instructions with answers (as Alpaca's file): counterweights in training, and a part of them for the
        held-out loss.
    rounds
        Tunings; 0 only probes.
    mutation
        Form of the probes, or a family of them: framing, role, language, encoding. Repeatable. Default: all.
    mutations_per_seed
        Forms that are drawn for each seed.
    max_seeds
        Seeds of each label, at most; of more, an even sample.
    max_rows
        Rows that a round adds to the training data.
    vectors
        Vectors by which failures are clustered: hidden:MODEL, hashed, words:FILE or encoder:MODEL. Default: the states
        of the model that is probed.
    epochs
        Passes over the curated rows in each tuning.
    learning_rate
        Peak learning rate of a tuning.
    lora_rank
        Rank of the adapters; 0 trains all weights.
    batch_tokens
        Tokens per step of a tuning.
    own_answers
        Learn the answers of the untuned model to harmless prompts that are refused by now; curated rows hold them.
    export
        Write the harmful probes to this file too: .jsonl for garak, .yaml for PyRIT.
    plain
        Continue the prompts as they stand, for a model without a chat template.
    head
        Folder of a refusal head. Default: the one that comes with shoal.
    harm
        The scorer of harm of the answers to test probes; the answers of a judge are recorded in the folder of the loop.
    confidence
        Confidence of the intervals.
    """
    from shoal import reports
    from shoal.safety import load_refusal_head
    from shoal.safety.probing import ProbeSettings, check_export, read_probe_seeds, run_probes
    from shoal.safety.tuning import read_instruction_pairs

    for target in filter(None, (plot, export)):
        check_target(target)
    if export is not None:
        check_export(export)
    settings = ProbeSettings(
        rounds=rounds,
        mutations=tuple(mutation or ()),
        mutations_per_seed=mutations_per_seed,
        max_tokens=max_tokens,
        max_rows=max_rows,
        vectors=vectors,
        plain=plain,
        keep_answers=keep_answers,
        own_answers=own_answers,
        confidence=confidence,
        seed=seed,
    )
    training = replace(
        settings.training,
        epochs=epochs,
        learning_rate=learning_rate,
        lora_rank=lora_rank,
        batch_tokens=batch_tokens,
    )
    scores_harm = harm.check()
    harm.agree_blindly()
    with progress_bars() as progress:
        if scores_harm:
            out.mkdir(parents=True, exist_ok=True)
        scorer = harm.scorer(out / "harm-judge.jsonl", device=device) if scores_harm else None
        found = run_probes(
            model,
            read_probe_seeds(prompts, max_seeds=max_seeds),
            out,
            settings=replace(settings, training=training),
            instructions=read_instruction_pairs(instructions) if instructions is not None else (),
            head=None if head is None else load_refusal_head(head),
            harm=scorer,
            harm_errors=None if scorer is None else harm.errors(scorer),
            device=device,
            progress=progress,
        )
    if export is not None:
        write_whole(export, (out / f"probes-export{export.suffix}").read_text(encoding="utf-8"))
    show_result(found, as_json=as_json, plot=plot, page=lambda: reports.probe_content(found).to_html())
