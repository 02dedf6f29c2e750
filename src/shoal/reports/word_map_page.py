"""Words in a plane as one HTML page: the map, how far it can be trusted, and the neighbours that it shows and hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.figures import ScatterPoint, Section, document, figure, responsive, scatter_svg, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shoal.insight.vectors import WordMap

_SERIES = 5
"""Groups that have a colour and a shape of their own; more cannot be told apart."""
_ROWS = 150
_TRUSTED = 0.9


def word_map_page(found: WordMap, *, source: str) -> str:
    """A whole document that opens offline.

    Args:
        found: the words in a plane.
        source: the name of their vectors.
    """
    groups = list(dict.fromkeys(found.groups))
    named = groups if len(groups) <= _SERIES else []
    points = _points(found, named)
    title = f"{len(found.words)} words of {source}, {found.method}"
    drawing = responsive(
        lambda width: scatter_svg(points, title=title, series=named, width=width, height=620 if width > 600 else 420),
        title=title,
        wide=900,
    )
    seed = f" with seed {found.seed}" if found.projection.method == "tsne" else ""
    caption = (
        f"{found.method}{seed} of the vectors at length 1. Point at a mark for its word; labels stand where there is "
        "room. The axes mean nothing by themselves."
    )
    return document(
        f"A map of {len(found.words)} words",
        _result(found),
        [Section("near", "Nearest words", _near(found))],
        details=_details(found),
        picture=figure([drawing], caption=caption),
    )


def _result(found: WordMap) -> str:
    """How far the map can be trusted, in a sentence."""
    trust = found.projection.trustworthiness
    reading = (
        "words that are near each other in the map are mostly near each other in the vectors"
        if trust >= _TRUSTED
        else "many words that are near each other in the map are not near each other in the vectors"
    )
    return f"Trustworthiness {trust:.2f}: {reading}."


def _details(found: WordMap) -> str:
    kept = f"{found.projection.neighbours_preserved:.0%} of the five nearest words of each stay nearest in the plane"
    variance = found.projection.explained_variance
    share = "" if variance is None else f"; {variance:.0%} of the variance lies in it"
    return f"{kept}{share}. Trustworthiness is 1 where nothing is near that is far, about 0.5 for a random map."


def _points(found: WordMap, named: Sequence[str]) -> list[ScatterPoint]:
    return [
        ScatterPoint(
            x=float(x),
            y=float(y),
            label=word,
            series=named.index(found.groups[place]) if named else 0,
        )
        for place, (word, (x, y)) in enumerate(zip(found.words, found.projection.points_N2.tolist(), strict=True))
    ]


def _near(found: WordMap) -> Markup:
    """The neighbours in the vectors and in the plane; those that the plane makes up are set in bold."""
    rows = [
        (word, ", ".join(space), Markup(", ").join(_bold(other, other not in space) for other in plane))
        for word, space, plane in zip(found.words[:_ROWS], found.near_in_space, found.near_in_plane, strict=False)
    ]
    head = ("Word", "By cosine", "In the plane")
    reading = Markup("<p>Among the words of the map. Bold: near in the plane alone.</p>")
    return reading + table(head, rows, caption="The five nearest words")


def _bold(word: str, alone: bool) -> Markup:
    return Markup("<b>{}</b>" if alone else "{}").format(word)
