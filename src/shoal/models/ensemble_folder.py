"""An ensemble as a folder: ``ensemble.json`` with the members by model spec and digest, their weights, and the mixture.

Members that lie in folders or files are written as paths from this folder, so that all of them can be moved together. A
member whose weights are no longer those that the ensemble was made of is refused, since its fitted weights would mean
nothing.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import CorruptModelError, ModelError
from shoal.files import atomic_file
from shoal.models.digests import model_digest
from shoal.models.folder import read_json
from shoal.models.sources import Source
from shoal.models.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

    from shoal.models.ensemble import Mixture
from shoal.models.spec import ModelSpec

ENSEMBLE = "ensemble.json"
"""The file that makes a folder an ensemble."""

_FORMAT = 1

_RELATIVE = re.compile(r"(?:^|(?<=[:=]))\.\.?/[^?&]*")
"""A path in a spec that is written from the folder of the ensemble: at its beginning, behind a prefix or an option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleMember:
    """One model of an ensemble."""

    spec: str
    """Its model spec; a path is one from the folder of the ensemble."""

    digest: str
    """SHA-256 of its settings and weights, as `model_digest` gives it for float32."""

    weight: float
    """Its share of the mixture."""


def save_ensemble(
    folder: str | os.PathLike[str],
    specs: Sequence[str],
    weights: Sequence[float] | None = None,
    *,
    mixture: Mixture = "token",
) -> Path:
    """Write the folder of an ensemble, which `load_model` takes; the members stay where they are.

    Args:
        folder: of the ensemble; made where it does not exist.
        specs: of the members; each is loaded once, so that one that cannot be used is found now.
        weights: of the members, which sum to 1; None for equal ones.
        mixture: ``token`` for the same weights at each token, ``text`` for those of whole texts
            (`shoal.models.ensemble`).

    Returns:
        The path of ``ensemble.json``.

    Raises:
        ShoalError: a member that cannot be loaded.
        ModelError: members of different vocabularies, or none.
        UsageError: weights that are no shares.
    """
    from shoal.models.ensemble import EnsembleForCausalLM
    from shoal.models.load import load_model

    folder = Path(folder)
    loaded = [load_model(spec, device="cpu") for spec in specs]
    # Made, so that everything that could be wrong with it is found before it is written.
    ensemble = EnsembleForCausalLM([one.model for one in loaded], weights, mixture=mixture)
    check_one_tokenizer({one.spec: one.tokenizer for one in loaded})
    members = [
        EnsembleMember(spec=_from_folder(one.spec, folder), digest=one.digest, weight=weight)
        for one, weight in zip(loaded, ensemble.config.weights, strict=True)
    ]
    return write_ensemble(folder, members, mixture=mixture)


def write_ensemble(
    folder: str | os.PathLike[str], members: Sequence[EnsembleMember], *, mixture: Mixture = "token"
) -> Path:
    """Write the file of an ensemble whose members are known to fit together.

    Args:
        folder: of the ensemble; made where it does not exist.
        members: with paths from that folder.
        mixture: as in `save_ensemble`.
    """
    record = {"format": _FORMAT, "mixture": mixture, "members": [asdict(member) for member in members]}
    path = Path(folder) / ENSEMBLE
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as partial:
        partial.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path


def check_one_tokenizer(tokenizers: dict[str, PreTrainedTokenizerFast]) -> None:
    """Raise where the members of an ensemble do not give the same meaning to an id.

    Args:
        tokenizers: by the spec of their model.

    Raises:
        ModelError: two of them differ; both are named.
    """
    (first, vocabulary), *others = [(spec, one.get_vocab()) for spec, one in tokenizers.items()]
    for spec, other in others:
        if other != vocabulary:
            raise ModelError(
                f"{first} and {spec} have different tokenizers, so that their probabilities are of different things; "
                "an ensemble needs members of one tokenizer"
            )


class EnsembleSource(Source):
    """The models that an ensemble's folder names."""

    def __init__(
        self, folder: Path, open_member: Callable[[ModelSpec], Source], *, within: tuple[Path, ...] = ()
    ) -> None:
        """Read the folder.

        Args:
            folder: of the ensemble.
            open_member: finds the source of a member's spec.
            within: the folders of the ensembles that it is a member of.

        Raises:
            CorruptModelError: the file is absent, is not that of an ensemble, or names the ensemble itself.
        """
        self._folder = folder
        self._within = (*within, folder.resolve())
        if self._within[-1] in within:
            raise CorruptModelError(f"the ensemble {folder} is a member of itself; save it again from other members")
        record = read_json(folder / ENSEMBLE)
        try:
            self.members = [_read_member(member) for member in record["members"]]
            self.mixture: Mixture = record["mixture"]
        except (KeyError, TypeError) as error:
            raise CorruptModelError(
                f"{folder / ENSEMBLE} is not that of an ensemble ({error}); save it again"
            ) from error
        if not self.members:
            raise CorruptModelError(f"{folder / ENSEMBLE} names no members; save it again")
        self._sources = [self._open(parse_spec(self._located(member.spec)), open_member) for member in self.members]
        self.origin = f"the ensemble of {len(self.members)} models in {folder}"

    def config(self) -> PreTrainedConfig:
        """Refused: an ensemble has no architecture of its own.

        Raises:
            ModelError: always.
        """
        raise ModelError(f"{self._folder} is an ensemble, which has no architecture to draw weights for; name a member")

    def tokenizer(self) -> PreTrainedTokenizerFast:
        """That of the members."""
        return self._sources[0].tokenizer()

    def model(self, dtype: torch.dtype) -> PreTrainedModel:
        """The ensemble with its members.

        Raises:
            CorruptModelError: a member's weights are not those that the ensemble was made of.
        """
        import torch

        from shoal.models.ensemble import EnsembleForCausalLM

        models = []
        for member, source in zip(self.members, self._sources, strict=True):
            model = source.model(torch.float32).eval()
            if model_digest(model) != member.digest:
                raise CorruptModelError(
                    f"{source.origin} is not the model that the ensemble {self._folder} was made of, by its digest; "
                    "save the ensemble again"
                )
            models.append(model)
        weights = [member.weight for member in self.members]
        return EnsembleForCausalLM(models, weights, mixture=self.mixture).to(dtype).eval()

    def _open(self, spec: ModelSpec, open_member: Callable[[ModelSpec], Source]) -> Source:
        if spec.kind != "ensemble":
            return open_member(spec)
        return EnsembleSource(Path(spec.name).expanduser(), open_member, within=self._within)

    def _located(self, spec: str) -> str:
        """The spec with paths from here; a path is written with ``./`` or ``../``."""
        return _RELATIVE.sub(lambda found: os.path.normpath(self._folder / found[0]), spec)


def _read_member(record: dict[str, Any]) -> EnsembleMember:
    """A member as the file has it; raises TypeError for a value of another kind."""
    member = EnsembleMember(**record)
    texts = (member.spec, member.digest)
    if not (all(isinstance(text, str) for text in texts) and isinstance(member.weight, (int, float))):
        raise TypeError(f"a member is {record!r}; expected a spec, a digest and a weight")
    return member


def _from_folder(spec: str, folder: Path) -> str:
    """A spec with its paths written from the folder of the ensemble; those without a path as they are."""
    parsed = parse_spec(spec)
    if parsed.inner is not None:
        return f"random:{_from_folder(parsed.name, folder)}"
    if parsed.kind not in ("folder", "ensemble", "gguf", "llama2c"):
        return spec
    # A folder and a file are known by what they are, but for a GGUF file of another name.
    prefix = "gguf:" if parsed.kind == "gguf" and not parsed.name.lower().endswith(".gguf") else ""
    options = "&".join(f"{key}={_path_from(value, folder)}" for key, value in parsed.options)
    return f"{prefix}{_path_from(parsed.name, folder)}{'?' if options else ''}{options}"


def _path_from(name: str, folder: Path) -> str:
    path = os.path.relpath(Path(name).expanduser().resolve(), folder.resolve())
    return path if path.startswith("..") else f"./{path}"
