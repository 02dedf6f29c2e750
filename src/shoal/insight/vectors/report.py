"""The vectors of a text in one model: their neighbours, geometry and projections."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from shoal.insight.options import DEFAULTS
from shoal.insight.vectors.geometry import Geometry, Projection, measure_geometry, project
from shoal.insight.vectors.model_embeddings import TokenVectors, read_vectors
from shoal.insight.vectors.neighbours import MeasureAgreement, TokenNeighbours, measure_agreement, nearest_neighbours

if TYPE_CHECKING:
    import pandas

    from shoal.insight.options import AnalysisOptions
    from shoal.models import LoadedModel

_MIN_TOKENS = 3
"""Tokens of a text that has a geometry and a projection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorReport:
    """What `describe_vectors` returns."""

    vectors: TokenVectors
    neighbours: tuple[TokenNeighbours, ...]
    """The neighbours of each different token of the text among the input vectors of the vocabulary."""

    agreement: tuple[MeasureAgreement, ...]
    """The agreement of the three measures over the vocabulary."""

    geometry: tuple[Geometry, ...]
    """The geometry of the input vectors, of the output vectors where they are not the same, and of the contextual
    vectors of the text by layer."""

    projections: dict[str, Projection]
    """By space: the vectors of the text in a plane; empty for a text of fewer than three tokens."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; of the vectors only their number and dimension."""
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
                name: {
                    "method": each.method,
                    "explained_variance": each.explained_variance,
                    "neighbours_preserved": each.neighbours_preserved,
                    "trustworthiness": each.trustworthiness,
                    "points": each.points_N2.tolist(),
                }
                for name, each in self.projections.items()
            },
        }

    def __str__(self) -> str:
        own = self.vectors
        count, width = own.contextual[-1].shape
        lines = [
            f"{own.model}: {len(own.contextual) - 1} layers",
            f"  input vectors       {own.input_VD.shape[0]} x {own.input_VD.shape[1]}",
        ]
        if own.output_VD is not None:
            tied = "tied" if own.tied else "not tied"
            lines.append(
                f"  output vectors      {own.output_VD.shape[0]} x {own.output_VD.shape[1]} ({tied} to the input)"
            )
        lines.append(f"  vectors of the text {count} x {width} at each layer\n")
        lines += [*self._neighbour_lines(), "", *self._agreement_lines(), "", *self._geometry_lines()]
        return "\n".join(lines)

    def _neighbour_lines(self) -> list[str]:
        lines = []
        for each in self.neighbours:
            lines.append(f"  {each.token!r}, length {each.length:.3g}")
            for measure, nearest in each.nearest.items():
                names = " ".join(f"{name!r}{'*' if name in each.only[measure] else ''}" for name, _ in nearest)
                lines.append(f"    {measure:18}  {names}")
        return [*lines, "  (* a neighbour by this measure alone)"]

    def _agreement_lines(self) -> list[str]:
        return [
            f"  {pair.first} and {pair.second}: {pair.shared:.0%} shared, the same first for {pair.same_first:.0%}"
            for pair in self.agreement
        ]

    def _geometry_lines(self) -> list[str]:
        lines = [
            f"  {'vectors':10}{'number':>8}{'cosine':>9}{'centred':>9}{'IsoScore':>10}{'partition':>11}{'hubs':>7}"
        ]
        for shape in self.geometry:
            hubs = "-" if shape.hub_skewness is None else f"{shape.hub_skewness:.2f}"
            lines.append(
                f"  {shape.space:10}{shape.count:8}{shape.mean_cosine:9.3f}{shape.centred_cosine:9.3f}"
                f"{shape.iso_score:10.3f}{shape.partition_ratio:11.2g}{hubs:>7}"
            )
        return lines

    def to_frame(self) -> pandas.DataFrame:
        """A row per space: its geometry."""
        import pandas

        # A list of pairs, which has no place in a cell.
        return pandas.DataFrame([each.to_dict() for each in self.geometry]).drop(columns="hubs")


def describe_vectors(
    loaded: LoadedModel,
    text: str,
    *,
    neighbours: int = 8,
    method: str = "pca",
    options: AnalysisOptions = DEFAULTS,
) -> VectorReport:
    """Read the vectors of a text and describe their neighbours, geometry and projections.

    Args:
        loaded: any causal language model.
        text: at least one token, at most the model's context.
        neighbours: number of neighbours per token.
        method: method of the projection, ``pca`` or ``tsne``.
        options: seed of what is drawn, and progress callback.

    Raises:
        DataError, TooLongError, ModelError: see `read_vectors`.
        UnknownNameError, MissingExtraError: see `project`.
        UsageError: more neighbours than there are tokens.
    """
    vectors, seed = read_vectors(loaded, text), options.seed
    rows = list(dict.fromkeys(vectors.ids))
    nearest = nearest_neighbours(vectors.input_VD, vectors.vocabulary, rows, count=neighbours)
    agreement = measure_agreement(vectors.input_VD, count=neighbours, seed=seed)
    clouds = {"input": (vectors.input_VD, vectors.vocabulary)}
    # A tied matrix has the geometry of the input vectors, which stands there already.
    if vectors.output_VD is not None and not vectors.tied:
        clouds["output"] = (vectors.output_VD, vectors.vocabulary)
    if len(vectors.ids) >= _MIN_TOKENS:
        clouds |= {f"layer {depth}": (rows_LD, vectors.tokens) for depth, rows_LD in enumerate(vectors.contextual)}
    geometry = []
    for done, (space, (cloud_ND, names)) in enumerate(clouds.items(), 1):
        geometry.append(measure_geometry(cloud_ND, names, space=space, seed=seed))
        options.progress("geometry of vectors", done, len(clouds))
    projections = {}
    if len(vectors.ids) >= _MIN_TOKENS:
        projections = {name: project(rows_LD, method, seed=seed) for name, rows_LD in vectors.spaces.items()}
    return VectorReport(
        vectors=vectors,
        neighbours=tuple(nearest),
        agreement=tuple(agreement),
        geometry=tuple(geometry),
        projections=projections,
    )
