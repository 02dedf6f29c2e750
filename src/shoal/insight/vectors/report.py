"""Everything that is said of a text's vectors in one model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.insight.vectors.geometry import Geometry, measure_geometry
from shoal.insight.vectors.neighbours import Agreement, Neighbours, measure_agreement, nearest_neighbours
from shoal.insight.vectors.projection import Projection, project
from shoal.insight.vectors.reading import TokenVectors, read_vectors

if TYPE_CHECKING:
    from shoal.models import LoadedModel
    from shoal.progress import Progress

_FEWEST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorReport:
    """What `describe_vectors` returns."""

    vectors: TokenVectors
    neighbours: tuple[Neighbours, ...]
    """Of each different token of the text, among the input vectors of the vocabulary."""

    agreement: tuple[Agreement, ...]
    """Of the three measures over the vocabulary."""

    geometry: tuple[Geometry, ...]
    """Of the input vectors, the output vectors where they are others, and the text's contextual ones by layer."""

    projections: dict[str, Projection]
    """By space: the text's vectors in a plane; empty for a text of fewer than three tokens."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; of the vectors their number and dimension."""
        own = self.vectors
        return {
            "model": own.model,
            "text": own.text,
            "tokens": own.tokens,
            "ids": own.ids,
            "shapes": {"vocabulary": own.input_VD.shape} | {name: rows.shape for name, rows in own.spaces.items()},
            "layers": len(own.contextual) - 1,
            "tied": own.tied,
            "neighbours": [each.to_dict() for each in self.neighbours],
            "agreement": [asdict(each) for each in self.agreement],
            "geometry": [each.to_dict() for each in self.geometry],
            "projections": {
                name: {"method": each.method, "faithful": each.faithful, "points": each.points_N2.tolist()}
                for name, each in self.projections.items()
            },
        }


def describe_vectors(
    loaded: LoadedModel,
    text: str,
    *,
    neighbours: int = 8,
    method: str = "pca",
    seed: int = 0,
    progress: Progress | None = None,
) -> VectorReport:
    """Read the vectors of a text and everything that is said of them.

    Args:
        loaded: any causal language model.
        text: at least one token, at most the model's context.
        neighbours: how many each token gets.
        method: of the projection, ``pca`` or ``tsne``.
        seed: of what is drawn.
        progress: called with (what, done, total).

    Raises:
        DataError, TooLongError, ModelError: see `read_vectors`.
        UnknownNameError, MissingExtraError: see `project`.
        UsageError: more neighbours than there are tokens.
    """
    vectors = read_vectors(loaded, text)
    rows = list(dict.fromkeys(vectors.ids))
    near = nearest_neighbours(vectors.input_VD, vectors.vocabulary, rows, count=neighbours)
    agreement = measure_agreement(vectors.input_VD, count=neighbours, seed=seed)
    clouds = {"input": (vectors.input_VD, vectors.vocabulary)}
    if vectors.output_VD is not None and not vectors.tied:
        clouds["output"] = (vectors.output_VD, vectors.vocabulary)
    if len(vectors.ids) >= _FEWEST:
        clouds |= {f"layer {depth}": (rows_LD, vectors.tokens) for depth, rows_LD in enumerate(vectors.contextual)}
    geometry = []
    for done, (space, (cloud_ND, names)) in enumerate(clouds.items(), 1):
        geometry.append(measure_geometry(cloud_ND, names, space=space, seed=seed))
        if progress is not None:
            progress("shapes of vectors", done, len(clouds))
    projections = {}
    if len(vectors.ids) >= _FEWEST:
        projections = {name: project(rows_LD, method, seed=seed) for name, rows_LD in vectors.spaces.items()}
    return VectorReport(
        vectors=vectors,
        neighbours=tuple(near),
        agreement=tuple(agreement),
        geometry=tuple(geometry),
        projections=projections,
    )
