"""How the members of an ensemble are made: a kind of ensemble is one subclass here."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from shoal.experiments.overfitting.trainings import Draw


NO_WEIGHT = 1e-6
"""Up to which a member of a mixture teaches nothing and is not computed: fitted weights come near 0 and not to it."""


def ensemble_folder(row: str) -> str:
    """The folder of an ensemble within those of a comparison: letters and digits of its name, in lower case.

    Args:
        row: its name.
    """
    return "-".join("".join(sign if sign.isalnum() else " " for sign in row.lower()).split()) or "ensemble"


class Ensembling(ABC):
    """A way to make members that differ. A subclass with a ``name`` is known by it."""

    registry: ClassVar[dict[str, type[Ensembling]]] = {}
    name: ClassVar[str]
    meaning: ClassVar[str]
    """What it does, as a sentence of the page."""

    draw: ClassVar[Draw] = "all"
    """Which documents, and how much of each, a member learns from."""

    fits_weights: ClassVar[bool] = False
    """Whether the weights are fitted on validation text; else all are equal."""

    def __init_subclass__(cls) -> None:
        # A name of its own and not an inherited one: a class between this one and a kind is no kind.
        if "name" in cls.__dict__:
            Ensembling.registry[cls.name] = cls


class _Seeds(Ensembling):
    """Deep ensembles (Lakshminarayanan, Pritzel and Blundell 2017, arXiv:1612.01474)."""

    name = "seeds"
    meaning = "models that differ in their seed alone, with equal weights"


class _Bagging(Ensembling):
    """Breiman 1996; see `shoal.training.resampling`."""

    name = "bagging"
    meaning = "models of other seeds, each on a bootstrap sample of the documents, with equal weights"
    draw = "bootstrap"


class _Boosting(Ensembling):
    """Rosset and Segal 2002; see `shoal.training.boosting`."""

    name = "boosting"
    meaning = (
        "models, each of which learns more from tokens that the mixture of those before it finds unlikely, with "
        "weights fitted on validation text"
    )
    draw = "boosted"
    fits_weights = True


class _Stacking(Ensembling):
    """Smyth and Wolpert 1999; see `shoal.statistics.fit_mixture`."""

    name = "stacking"
    meaning = "models of several methods, with weights fitted on validation text"
    fits_weights = True
