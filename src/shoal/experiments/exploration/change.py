"""One thing changed in an experiment, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.errors import UnknownNameError, UsageError
from shoal.experiments.loading import experiment_from
from shoal.experiments.settings_file import flatten
from shoal.experiments.tables import as_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shoal.experiments.experiment import Experiment

FIXED = ("measure", "seeds", "treatment", "baseline", "name", "hypothesis", "preset", "device", "evaluation")
"""What both runs must share for their difference to say something of the change."""

QUESTIONS: Mapping[str, str] = {
    "training.epochs": "Is longer training more rule, or more learning by heart?",
    "training.weight_decay": "Does a penalty on the weights keep a model from a table of answers?",
    "training.optimizer": "Does the optimizer decide what is learned? (muon, adamw, ...)",
    "training.dropout": "Does noise within the network help with what was not seen?",
    "task.options.largest": "Are more examples what it takes to learn the rule?",
    "split.parameters.digits": "Do other held-out numbers ask for something else?",
    "arms.pretrained": "Does a model that read other texts know the rule? (bundled:stories)",
}
"""What a change may ask, for the keys of the counting experiment that are worth a try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeableKey:
    """A key of an experiment that may be changed."""

    key: str
    """Dotted: ``training.epochs``."""

    value: Any
    """As the experiment has it."""

    question: str
    """What changing it asks; empty where nothing was written for it."""


def changeable_keys(experiment: Experiment) -> tuple[ChangeableKey, ...]:
    """The keys that may be changed, those with a question first.

    Args:
        experiment: as `shoal.experiments.load_experiment` gives it.
    """
    flat = {key: value for key, value in flatten(as_table(experiment)).items() if key.split(".")[0] not in FIXED}
    found = [ChangeableKey(key=key, value=value, question=QUESTIONS.get(key, "")) for key, value in flat.items()]
    return tuple(sorted(found, key=lambda one: not one.question))


def change_one(experiment: Experiment, key: str, value: Any) -> Experiment:
    """The experiment with one key changed.

    Args:
        experiment: as `shoal.experiments.load_experiment` gives it.
        key: dotted, one of `changeable_keys`; or a key of ``training`` that the file leaves out.
        value: the new one.

    Raises:
        UsageError: the value is the old one, or the key is among those that both runs must share.
        UnknownNameError: the experiment has no such key.
        ExperimentFileError: the value is not one that the key can have.
    """
    names = key.split(".")
    if names[0] in FIXED:
        raise UsageError(f"{key} must be the same in both runs, or their difference says nothing of the change")
    table = as_table(experiment)
    known = [one.key for one in changeable_keys(experiment)]
    if key not in known and names[0] not in ("training", "tuning", "task", "controls"):
        raise UnknownNameError("key", key, known)
    inner = table
    for name in names[:-1]:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise UnknownNameError("key", key, known)
    if inner.get(names[-1]) == value:
        raise UsageError(f"{key} is {value!r} already; give another value")
    inner[names[-1]] = value
    return experiment_from(table, f"{experiment.name} with {key} = {value!r}")
