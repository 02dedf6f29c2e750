"""The vectors of a text as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import ScatterPoint, Section, document, figure, responsive, scatter_svg, table, visible
from shoal.insight.vectors import MEASURES
from shoal.reports.html_format import NOTHING
from shoal.wording import capital

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.vectors import Geometry, Projection, TokenNeighbours, VectorReport

_METHODS = {"pca": "PCA", "tsne": "t-SNE"}
_EVEN = 0.1
"""Below this mean cosine of random pairs no direction is shared that matters."""

_MIN_LETTERS = 2
"""Longer tokens than this are words enough for the first sentence."""


def vectors_page(report: VectorReport) -> str:
    """A whole document that opens offline."""
    own = report.vectors
    kinds = "tied: one matrix reads and writes" if own.tied else "not tied: two matrices read and write"
    if own.output_VD is None:
        kinds = "no output vectors"
    count, width = own.contextual[-1].shape
    summary = (
        f"{own.model}: {count} tokens, {count} by {width} numbers for the text; a vocabulary of "
        f"{own.input_VD.shape[0]:,} by {own.input_VD.shape[1]} ({kinds}); {len(own.contextual) - 1} layers."
    )
    sections = [
        Section("near", "Nearest neighbours", _neighbours(report)),
        Section("shape", "Shape", _shape(report.geometry)),
    ]
    picture = _maps(report) if report.projections else None
    return document(f"Vectors in {own.model}", _result(report), sections, details=summary, picture=picture)


def _result(report: VectorReport) -> str:
    """Which words lie near to each other, and how evenly the vectors lie."""
    pairs = [
        (each.token, *each.nearest[measure][0])
        for each in report.neighbours
        # By the first measure, cosine, which the sentence names.
        for measure in MEASURES[:1]
        if each.nearest[measure] and len(each.token.strip()) > _MIN_LETTERS and _other_word(each, measure)
    ]
    last = report.geometry[-1]
    even = "point in all directions" if last.mean_cosine < _EVEN else "share a direction"
    shape = f"the vectors of {last.space} {even} (mean cosine {last.mean_cosine:.2f})"
    if not pairs:
        return f"{capital(shape)}."
    token, near, cosine = max(pairs, key=lambda pair: pair[2])
    return f"“{token.strip()}” lies nearest to “{near.strip()}” ({MEASURES[0]} {cosine:.2f}); {shape}."


def _other_word(each: TokenNeighbours, measure: str) -> bool:
    """Whether the nearest token is another word, and not the same one with a space or a capital before it."""
    return each.nearest[measure][0][0].strip().lower() != each.token.strip().lower()


def _maps(report: VectorReport) -> Markup:
    """The text's vectors in a plane, a drawing per space."""
    drawings = [_map(report, space, projection) for space, projection in report.projections.items()]
    trust = "; ".join(f"{space} {_trust(each)}" for space, each in report.projections.items())
    caption = (
        "Each mark is a token of the text; point at one for its place. Labels stand where there is room. How far to "
        f"trust the map: {trust}."
    )
    return figure(drawings, caption=caption)


def _trust(projection: Projection) -> str:
    """How far the plane can be trusted."""
    preserved = f"{projection.neighbours_preserved:.0%} of the five nearest neighbours stay nearest"
    variance = projection.explained_variance
    return preserved if variance is None else f"{variance:.0%} of the variance lies in the plane, {preserved}"


def _map(report: VectorReport, space: str, projection: Projection) -> Markup:
    """One space, for a wide and for a narrow page."""
    points = _points(report, space, projection)
    title = f"{space} vectors, {_METHODS[projection.method]}"
    return responsive(lambda width: scatter_svg(points, title=title, width=width), title=title, wide=460)


def _points(report: VectorReport, space: str, projection: Projection) -> list[ScatterPoint]:
    """A point per token; where a vector goes by the token alone, once for all of its places."""
    own = report.vectors
    places: dict[int, list[int]] = {}
    for place, id_ in enumerate(own.ids):
        # Input and output vectors are those of the token: equal tokens would lie upon each other.
        places.setdefault(place if space == "contextual" else id_, []).append(place)
    return [
        ScatterPoint(
            x=float(projection.points_N2[group[0], 0]),
            y=float(projection.points_N2[group[0], 1]),
            label=visible(own.tokens[group[0]]),
            tooltip=f"{visible(own.tokens[group[0]])}, token {', '.join(map(str, group))}",
        )
        for group in places.values()
    ]


def _neighbours(report: VectorReport) -> Markup:
    """A row per token, a column per measure; what one measure alone names is set in bold."""
    rows = [
        (
            Markup("<code>{}</code>").format(visible(each.token)),
            f"{each.length:.3g}",
            *(_near(each, m) for m in MEASURES),
        )
        for each in report.neighbours
    ]
    agreements = "; ".join(
        f"{each.first} and {each.second}: {each.shared:.0%} shared, the same first for {each.same_first:.0%}"
        for each in report.agreement
    )
    reading = Markup("<p>Over the vocabulary the measures agree so far: {}. Bold: near by one measure alone.</p>")
    head = ("Token", "Length", *(measure.capitalize() for measure in MEASURES))
    return reading.format(agreements) + table(head, rows, caption="Nearest among the input vectors", numeric=(1,))


def _near(each: TokenNeighbours, measure: str) -> Markup:
    """The neighbours by one measure."""
    alone = each.only[measure]
    return Markup(" ").join(
        Markup("<b><code>{}</code></b>" if name in alone else "<code>{}</code>").format(visible(name))
        for name, _ in each.nearest[measure]
    )


def _shape(geometry: Sequence[Geometry]) -> Markup:
    """A row per space."""
    rows = [
        (
            each.space,
            f"{each.count:,} by {each.dimension:,}",
            f"{each.mean_cosine:.3f} ± {each.mean_cosine_error:.3f}",
            f"{each.centred_cosine:.3f}",
            f"{each.iso_score:.3f}",
            f"{each.partition_ratio:.2g}",
            NOTHING if each.hub_skewness is None else f"{each.hub_skewness:.2f}",
            NOTHING if each.orphans is None else f"{each.orphans:.0%}",
            _hubs(each),
        )
        for each in geometry
    ]
    head = ("Vectors", "Size", "Mean cosine", "Centred", "IsoScore", "Partition", "Hub skewness", "Orphans", "Hubs")
    reading = Markup(
        "<p>Mean cosine of random pairs: 0 is even, 1 is one direction (± its standard error); centred: the mean "
        "vector taken away. IsoScore and partition ratio: 1 is even. Hub skewness: about 0 where no vector is near to "
        "many; orphans are near to none.</p>"
    )
    return reading + table(head, rows, caption="Evenness and hubs", numeric=(2, 3, 4, 5, 6, 7))


def _hubs(each: Geometry) -> Markup:
    """The greatest hubs, with how many they are near to."""
    return Markup(" ").join(Markup("<code>{}</code>&nbsp;{}").format(visible(name), often) for name, often in each.hubs)
