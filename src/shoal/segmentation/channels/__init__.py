"""Channels: ways of reading sentences. Each gives features, in which changes of distribution are sought.

A new channel is one file in this folder: a subclass of `Channel` with a name. `find_channel`, ``segment(channel=...)``
and ``shoal segment --channel`` know it by that name, and the help lists it with its ``reads`` and ``needs``.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

from shoal.errors import DataError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from shoal.segmentation.heads import ClassifierHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One row per sentence; where several parts are given, all are evidence of the same segments."""

    counts: Any = None
    """How often each word is in each sentence: a SciPy sparse or dense array (sentences by words), or None."""

    background: NDArray[np.float64] | None = None
    """The share of each word in the language at large, which the counts are measured against; None where it is not
    known."""

    vectors: NDArray[np.floating] | None = None
    """A vector for each sentence (sentences by dimensions), measured from an uninformative origin, or None."""

    trust: NDArray[np.floating] | None = None
    """How much of each sentence's vector its segment can explain, within (0, 1]; None for all alike."""

    likelihoods: NDArray[np.floating] | None = None
    """The log-likelihood of each sentence under each class, up to a constant (sentences by classes), or None."""

    placing: Features | None = None
    """Features that make no boundary but help to place those that are made, or None."""

    def rows(self, start: int, stop: int) -> Features:
        """Those of the sentences from start to stop (not included)."""

        def cut(part: Any) -> Any:
            return None if part is None else part[start:stop]

        return Features(
            counts=cut(self.counts),
            background=self.background,
            vectors=cut(self.vectors),
            trust=cut(self.trust),
            likelihoods=cut(self.likelihoods),
            placing=None if self.placing is None else self.placing.rows(start, stop),
        )

    @property
    def parts(self) -> list[Any]:
        """Those that are given."""
        return [part for part in (self.counts, self.vectors, self.likelihoods) if part is not None]

    def __len__(self) -> int:
        return int(self.parts[0].shape[0]) if self.parts else 0


class Channel(ABC):
    """One way of reading sentences. A subclass that gives itself a name is found by it."""

    name: str
    """What ``--channel`` and `find_channel` call it; as a class attribute it registers the class."""

    reads: ClassVar[str] = ""
    """What it reads, for the help: a noun phrase without a capital."""

    model: ClassVar[str] = ""
    """The model that it needs, for the help, such as ``"a sentence encoder (folder or hub id)"``; empty for none."""

    trainable: ClassVar[bool] = False
    """Whether a head of one's own may be given."""

    head: ClassifierHead | None = None
    """The classifier by which it reads, where its features are likelihoods of classes."""

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        # Its own name only: with an inherited one it would replace its parent. A dataclass with slots comes here twice,
        # and the second class, which is the one in use, replaces the first.
        if isinstance(name := cls.__dict__.get("name"), str):
            _CHANNELS[name] = cls

    @classmethod
    def create(cls, *, model: str | None = None, head: str | os.PathLike[str] | None = None) -> Channel:
        """The channel with its defaults.

        Args:
            model: the model that it needs; None for a channel that needs none.
            head: the folder of a head of one's own; None for the default.
        """
        del model, head
        return cls()

    @abstractmethod
    def features(self, sentences: Sequence[str]) -> Features:
        """One row per sentence, in their order.

        Raises:
            ShoalError: the sentences cannot be read in this way.
        """


_CHANNELS: dict[str, type[Channel]] = {}


def known_channels() -> dict[str, type[Channel]]:
    """Every channel that has a name, in alphabetical order but for ``words``, the default, which comes first."""
    # A channel registers itself when its module is imported.
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(_CHANNELS.items(), key=lambda entry: (entry[0] != "words", entry[0])))


def find_channel(name: str, *, model: str | None = None, head: str | os.PathLike[str] | None = None) -> Channel:
    """The channel of a name.

    Args:
        name: a key of `known_channels`.
        model: the model of a channel that needs one: a folder, a hub id or a model spec.
        head: the folder of a head of your own, for a channel that has one; by default the shipped one.

    Raises:
        UnknownNameError: there is none.
        UsageError: a model or head is missing, or was given for a channel that has none.
        ModelError: the head cannot be read.
    """
    channels = known_channels()
    if name not in channels:
        raise UnknownNameError("channel", name, channels)
    channel = channels[name]
    if head is not None and not channel.trainable:
        trainable = " and ".join(each for each, kind in channels.items() if kind.trainable)
        raise UsageError(f"the channel {name!r} has no head; --head is for {trainable}")
    if model is not None and not channel.model:
        with_model = " and ".join(each for each, kind in channels.items() if kind.model)
        raise UsageError(f"the channel {name!r} has no model; --model is for {with_model}")
    if channel.model and model is None:
        raise UsageError(f"the channel {name!r} reads by {channel.model}; name it with --model")
    return channel.create(model=model, head=head)


def check_features(features: Features, sentences: int, channel: str) -> None:
    """Raise where a channel did not give one finite row for each sentence.

    Args:
        features: what the channel gave.
        sentences: their number.
        channel: the channel's name, for the message.

    Raises:
        DataError: with what was expected.
    """
    if not features.parts:
        raise DataError(f"the channel {channel!r} gave no counts, vectors or likelihoods; expected at least one")
    for part in features.parts:
        if part.ndim != 2 or part.shape[0] != sentences:
            raise DataError(f"the channel {channel!r} gave an array of shape {part.shape} for {sentences} sentences")
        values = part.data if sparse.issparse(part) else part
        if not np.isfinite(values).all():
            raise DataError(f"the channel {channel!r} gave values that are not finite numbers")
    if features.counts is not None:
        values = features.counts.data if sparse.issparse(features.counts) else features.counts
        if (np.asarray(values) < 0).any():
            raise DataError(f"the channel {channel!r} gave negative counts")
        _check_background(features, channel)
    trust = features.trust
    if trust is not None and not (np.shape(trust) == (sentences,) and np.all((trust > 0) & (trust <= 1))):
        raise DataError(f"the channel {channel!r} gave a trust that is not above 0 and at most 1 for each sentence")
    if features.placing is not None:
        check_features(features.placing, sentences, channel)


def _check_background(features: Features, channel: str) -> None:
    words, background = features.counts.shape[1], features.background
    if background is None:
        return
    if np.shape(background) != (words,):
        raise DataError(
            f"the channel {channel!r} gave a background of shape {np.shape(background)} for {words} words; expected a "
            "share of each"
        )
    # A word that the language never has would make every segment with it impossible.
    if not (np.isfinite(background).all() and (background > 0).all()):
        raise DataError(f"the channel {channel!r} gave a background with a share that is not above 0")
