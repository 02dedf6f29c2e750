"""The sections of a run's report that show one JSON file each: certificate, choices, views, narrowness, environment."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from shoal.evaluation.certification import values_text
from shoal.experiments import MEASURES
from shoal.figures import table, templates
from shoal.reports.html_format import NOTHING, badge, facts, number, value_text, words
from shoal.wording import capital, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments import Run
    from shoal.reports.html_format import Record

_CERTIFIED = Markup("<p class=lead>{} {}</p><p>{}</p>")


def certificate(record: Record | None) -> Markup | None:
    """The outcome of every check; None where there is no certificate yet."""
    if record is None:
        return None
    # False sorts before True: failures come first, and otherwise the order stays.
    checks = sorted(record["checks"], key=lambda check: check["passed"])
    failed = sum(not check["passed"] for check in checks)
    counts = f"{len(checks) - failed} of {len(checks)} checks passed."
    about = (
        f"{record['evaluator']} scored dummy models of known accuracy "
        f"({'the part that every run begins with' if record['fast'] else 'all checks'}, seed {record['seed']})."
    )
    rows = [
        [
            check["name"],
            badge(passed=check["passed"]),
            check["proves"],
            values_text(check["expected"]),
            values_text(check["got"]),
        ]
        for check in checks
    ]
    head = ["Dummy", "Outcome", "What passing proves", "Expected", "Got"]
    listed = table(head, rows, caption="Every check, failures first")
    if not failed:
        # Folded where all is well; a failure must not be behind a click.
        listed = Markup("<details><summary>Every check and what it proved</summary>{}</details>").format(listed)
    return _CERTIFIED.format(badge(passed=record["passed"]), counts, about) + listed


def choices(record: Record | None) -> Markup | None:
    """The choices and the trials behind them; None where nothing has been chosen yet."""
    if record is None:
        return None
    parts = [
        Markup("<p>Precision {}, {} per worker.</p>").format(
            value_text(record.get("precision")), plural(record["threads"], "thread")
        )
    ]
    arms: dict[str, Any] = record.get("learning_rates", {})
    if arms:
        rows = [[arm, _rates_text(_rates(tuned)), len(tuned["trials"])] for arm, tuned in arms.items()]
        caption = "What each arm trains with; every seed chooses by its own trials"
        parts.append(table(["Arm", "Learning rate", "Trials"], rows, caption=caption, numeric=(2,)))
    trials = [(tuned, trial) for tuned in arms.values() for trial in tuned["trials"]]
    if trials:
        measure = MEASURES[trials[0][1]["measure"]].label
        head = ["Arm", "Learning rate", "Chosen", "For seed", f"Score: {measure}", "Items", "Steps", "Final loss"]
        caption = "Every trial, scored on a part of the seen items that it did not train on"
        parts.append(table(head, [_trial(*pair) for pair in trials], caption=caption, numeric=(1, 3, 4, 5, 6, 7)))
    return Markup("").join(parts)


_ALL = "all"


def _rates(tuned: Record) -> Mapping[str, float]:
    """The rate of each seed; a run of an earlier version chose one for all of them."""
    chosen = tuned["chosen"]
    return chosen if isinstance(chosen, dict) else {_ALL: chosen}


def _rates_text(chosen: Mapping[str, float]) -> str:
    """The rates that the seeds of an arm chose, each with how many chose it."""
    counts = Counter(chosen.values())
    if len(counts) == 1:
        return f"{next(iter(counts)):g}"
    return ", ".join(f"{rate:g} ({plural(count, 'seed')})" for rate, count in sorted(counts.items()))


def _trial(tuned: Record, trial: Record) -> list[str]:
    """One trial."""
    chosen = trial["learning_rate"] == _rates(tuned)[str(trial.get("run_seed", _ALL))]
    # A trial that diverged has the key in its record, others lack it.
    score = "diverged" if "diverged" in trial else NOTHING if trial["score"] is None else number(trial["score"])
    return [
        trial["arm"],
        f"{trial['learning_rate']:g}",
        "✓ chosen" if chosen else "",
        str(trial.get("run_seed", _ALL)),
        score,
        str(trial["validation_examples"]),
        value_text(trial.get("steps")),
        value_text(trial.get("final_loss")),
    ]


_EXAMPLE = Markup(
    "<p>The first seed of each arm after training, while it reads this held-out example with its right answer: "
    "<q>{}</q></p>"
)
_LINK = Markup("<a href='inside/{0}.html'>all views of {0}</a>")
# Of a counting example: the prompt and the beginning of the answer, and its end, in two lines of a page.
_CUT = 240


def inside(run: Run) -> Markup | None:
    """The arms side by side; None where none has been looked into."""
    if not run.inside:
        return None
    text = run.inside[0]["text"]
    rows = [_arm(record) for record in run.inside]
    head = (
        "Arm",
        "Bits per token",
        "Heads with a role",
        "Predicted after the last token",
        "Against",
        "Largest parts",
        "More",
    )
    caption = "What the layers and heads of each arm do; the parts add up to the logit difference"
    # Both ends: the instruction stands at the beginning, the answer at the end.
    shown = text if len(text) <= _CUT else f"{text[: _CUT // 2]} … {text[-_CUT // 2 :]}"
    return _EXAMPLE.format(shown) + table(head, rows, caption=caption, numeric=(1,))


def _arm(record: Record) -> tuple[object, ...]:
    """One arm."""
    if record["why_not"] is not None:
        return (record["arm"], "", f"not shown: {record['why_not']}", "", "", "", "")
    bits, difference = record["bits_per_token"], record["difference"]
    named = "; ".join(f"block {each['block']} head {each['head']} {each['roles'][0]}" for each in record["roles"])
    return (
        record["arm"],
        "" if bits is None else f"{bits:.2f}",
        f"{len(record['roles'])} of {record['heads']}" + (f": {named}" if named else ""),
        _prediction(record),
        "" if difference is None else f"{record['foil']!r}, by {difference:+.2f}",
        "; ".join(f"{name} {value:+.2f}" for name, value in record["parts"].items()),
        _LINK.format(record["arm"]),
    )


def _prediction(record: Record) -> str:
    """The last layer's word, and the layer from which on it stands."""
    layers = record["layers"]
    if not layers:
        return ""
    last, first = layers[-1], len(layers) - 1
    # From the end backwards: a layer that had the token and lost it again does not count.
    while first and layers[first - 1]["token"] == last["token"]:
        first -= 1
    return f"{last['token']!r} ({last['p']:.0%}), since {layers[first]['layer']}"


_KIND = Markup("<p class=lead>The held-out part tests: <strong>{}</strong>.</p>")
_MORE = Markup("<details><summary>All numbers of the narrowness report</summary>{}</details>")


def narrowness(record: Record | None) -> Markup | None:
    """The conclusion, the shortcuts, and every number behind them; None where there is no report yet."""
    if record is None:
        return None
    sentences = Markup("").join(Markup("<li>{}.</li>").format(capital(sentence)) for sentence in record["conclusion"])
    programs = ([record["rule"]] if record["rule"] else []) + record["shortcuts"]
    rows = [[program["name"], program["right"], program["items"]] for program in programs]
    caption = "What programs without a model answer on the held-out items"
    numbers = {key: value for key, value in record.items() if key not in ("conclusion", "shortcuts", "kind", "rule")}
    return Markup("").join(
        [
            _KIND.format(record["kind"]),
            Markup("<ul>{}</ul>").format(sentences),
            table(["Program", "Right", "Of"], rows, caption=caption, numeric=(1, 2)) if rows else "",
            _MORE.format(facts(numbers, caption="Held-out and seen examples")),
        ]
    )


def environment(run: Run) -> Markup | None:
    """Versions, models and costs; None where none of them has been written yet."""
    parts = [_versions(run.environment.to_dict() if run.environment else None), _models(run), _costs(run)]
    return Markup("").join(part for part in parts if part) or None


def reproduce(run: Run) -> Markup:
    """The command that was given, the one that repeats it, and the experiment file."""
    given = run.environment.command if run.environment else None
    template = templates("shoal.reports").get_template("reproduce.html.j2")
    html = template.render(
        given=shlex.join(given) if given else None,
        again="shoal run experiment.toml --out another-folder",
        name=run.name,
        text=run.experiment_text,
    )
    return Markup(html)


def _versions(record: Record | None) -> Markup:
    """The machine and the packages."""
    if record is None:
        return Markup("")
    packages = record.get("packages", {})
    # The command has a place of its own under "How to reproduce".
    flat = {words(key): value_text(value) for key, value in record.items() if key not in ("packages", "command")}
    rows = [[key, value] for key, value in [*flat.items(), *packages.items()]]
    return table(["What", "Value"], rows, caption="Machine and versions")


def _models(run: Run) -> Markup:
    """One line for each model that was trained to its end."""
    done = [seed.done for arm in run.arms for seed in run.seeds_of(arm) if seed.done is not None]
    rows = [
        [
            record.arm,
            record.seed,
            record.origin,
            f"{record.parameters:,}",
            record.steps,
            value_text(record.final_loss),
            # Twelve digits are enough to compare by eye; the whole digest is there for whoever needs it.
            Markup("<code title='{}'>{}</code>").format(record.digest_after, record.digest_after[:12]),
        ]
        for record in done
    ]
    head = ["Arm", "Seed", "Weights from", "Parameters", "Steps", "Final loss", "SHA-256 after"]
    if not rows:
        return Markup("")
    drawn = table(head, rows, caption="Every model that was trained", numeric=(1, 3, 4, 5))
    return Markup("<details><summary>The {} trained models</summary>{}</details>").format(len(rows), drawn)


def _costs(run: Run) -> Markup:
    """What the run cost."""
    if not run.timings:
        return Markup("")
    cpu = sum(timing["cpu_seconds"] for timing in run.timings)
    peak = max(timing["peak_megabytes"] for timing in run.timings)
    line = Markup("<p>Units of work: {}; CPU-seconds: {}; most memory in one process: {} MB.</p>")
    return line.format(len(run.timings), number(cpu, 0), number(peak, 0))
