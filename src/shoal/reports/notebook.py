"""Results as pages in a notebook: `to_html` of any result, `show` in a cell, `enable_notebook` for all that follow.

``import shoal`` in a notebook calls `enable_notebook` by itself.

A result cannot draw itself: it lies on a floor below the pages. So the pages are registered with IPython by the names
of the results' classes, which imports none of them; what a result needs is imported when it is first shown.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from shoal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_FRAME = (
    '<iframe srcdoc="{}" title="shoal" sandbox="allow-scripts" loading="lazy" '
    'style="width:100%;height:{}px;border:0"></iframe>'
)
"""A page has styles and a script of its own, which must not reach the notebook, nor those of the notebook the page."""


def to_html(result: Any, **details: Any) -> str:
    """The page of a result: a whole HTML document that opens offline.

    Args:
        result: what a function of shoal gave back, such as `Changes`, `Segmentation`, `Verdict` or `Inspection`.
        details: what the page shows besides the result; of `Changes` ``stream`` (a `shoal.changes.Stream`), of a
            `Segmentation` ``text``, of an `Inspection` ``causes``.

    Raises:
        UsageError: there is no page for such a result.
    """
    # Along the base classes, so that a subclass of a result has its page.
    for kind in type(result).__mro__:
        page = RESULT_PAGES.get(f"{kind.__module__}.{kind.__qualname__}")
        if page is not None:
            return page(result, **details)
    known = ", ".join(sorted(name.rpartition(".")[2] for name in RESULT_PAGES))
    raise UsageError(f"there is no page for a {type(result).__name__}; there is one for {known}")


def show(result: Any, *, height: int = 640, **details: Any) -> Any:
    """The page of a result in the cell of a notebook.

    Args:
        result: as `to_html`.
        height: of the frame, in pixels.
        details: as `to_html`.

    Raises:
        UsageError: IPython is not installed, or there is no page for such a result.
    """
    try:
        from IPython.display import HTML
    except ImportError:
        raise UsageError(
            "a page in a cell needs IPython; pip install ipython, or write to_html(result) to a file"
        ) from None
    return HTML(_framed(to_html(result, **details), height))


def enable_notebook(*, height: int = 640) -> None:
    """Let every result that is the last value of a cell be shown as its page; in a notebook ``import shoal`` does so.

    Args:
        height: of each frame, in pixels.

    Raises:
        UsageError: this is no notebook.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        shell = None
    else:
        # None in a plain Python with IPython installed.
        shell = get_ipython()
    if shell is None:
        raise UsageError("this is no notebook; write to_html(result) to a file instead")
    formatter = shell.display_formatter.formatters["text/html"]
    for name in RESULT_PAGES:
        module, _, kind = name.rpartition(".")
        # By name, since the class itself would have to be imported, and torch with it.
        formatter.for_type_by_name(module, kind, lambda result: _framed(to_html(result), height))


def _framed(html: str, height: int) -> str:
    return _FRAME.format(escape(html), height)


def _changes(found: Any, *, stream: Any = None, source: str = "a stream") -> str:
    from shoal.changes import Stream
    from shoal.reports.changes_page import changes_page

    return changes_page(source, Stream() if stream is None else stream, found)


def _segmentation(found: Any, *, text: str | None = None, source: str = "a text") -> str:
    from shoal.reports.segment_page import segment_page
    from shoal.segmentation import label_segments

    return segment_page(source, found, label_segments(found, head=found.head), text=text)


def _curation(found: Any) -> str:
    from shoal.reports.curation_page import curation_page

    return curation_page(found)


def _verdict(found: Any) -> str:
    from shoal.reports.verdict import verdict_page

    return verdict_page(found)


def _crossed(found: Any) -> str:
    from shoal.reports.crossed_page import crossed_page

    return crossed_page(found)


def _corpora(found: Any) -> str:
    from shoal.reports.corpus_comparison_page import corpus_comparison_content

    return corpus_comparison_content(found).to_html()


def _overfit(found: Any) -> str:
    from shoal.reports.overfit_page import overfit_content

    return overfit_content(found).to_html()


def _safety_tuning(found: Any) -> str:
    from shoal.reports.safety_tuning_page import safety_tuning_content

    return safety_tuning_content(found).to_html()


def _probes(found: Any) -> str:
    from shoal.reports.probe_page import probe_content

    return probe_content(found).to_html()


def _sweep(found: Any) -> str:
    from shoal.experiments.sweeps import read_importance
    from shoal.reports.sweep_page import sweep_content

    return sweep_content(found, read_importance(found.folder)).to_html()


def _pretraining(found: Any) -> str:
    from shoal.reports.pretraining_page import pretraining_content

    return pretraining_content(found.folder).to_html()


def _inspection(found: Any, *, causes: Any = None) -> str:
    from shoal.reports.inspection_page import inspection_page

    return inspection_page(found, causes)


def _tokens(found: Any) -> str:
    from shoal.reports.tokens_page import tokens_page

    return tokens_page([found])


def _words(found: Any) -> str:
    from shoal.reports.words_page import words_page

    return words_page(found)


def _vectors(found: Any) -> str:
    from shoal.reports.vectors_page import vectors_page

    return vectors_page(found)


def _perplexity(found: Any) -> str:
    from shoal.evaluation.perplexity import PerplexityReport, compare_perplexities
    from shoal.reports.perplexity_page import perplexity_page

    return perplexity_page(compare_perplexities([found]) if isinstance(found, PerplexityReport) else found)


def _rating(found: Any) -> str:
    from shoal.reports.stories_page import rating_page

    return rating_page([found], settings={})


RESULT_PAGES: dict[str, Callable[..., str]] = {
    "shoal.changes.result.Changes": _changes,
    "shoal.segmentation.result.Segmentation": _segmentation,
    "shoal.curation.card.CurationCard": _curation,
    "shoal.experiments.verdict.Verdict": _verdict,
    "shoal.experiments.crossed.result.CrossedResult": _crossed,
    "shoal.experiments.corpus_comparison.result.CorpusComparison": _corpora,
    "shoal.experiments.overfitting.result.OverfitResult": _overfit,
    "shoal.experiments.safety_tuning.result.SafetyTuning": _safety_tuning,
    "shoal.experiments.sweeps.result.SweepResult": _sweep,
    "shoal.experiments.pretraining.records.PretrainResult": _pretraining,
    "shoal.safety.probing.result.ProbeReport": _probes,
    "shoal.insight.inspection.Inspection": _inspection,
    "shoal.insight.tokens.reading.TokenReading": _tokens,
    "shoal.insight.words.table.WordTable": _words,
    "shoal.insight.vectors.report.VectorReport": _vectors,
    "shoal.evaluation.perplexity.report.PerplexityReport": _perplexity,
    "shoal.evaluation.perplexity.comparison.PerplexityComparison": _perplexity,
    "shoal.evaluation.stories.rating.StoryRating": _rating,
}
"""The page of each class of results, by the full name under which IPython finds it; a new page is a line here."""
