"""Counts and times of a server, in the text format of Prometheus (exposition format 0.0.4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BOUNDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds up to which the buckets of a histogram reach."""


class Histogram:
    """How many observations fell below each bound."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_BOUNDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one observation."""
        # To the left, since the buckets of Prometheus include their upper bound.
        self._counts[bisect_left(_BOUNDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        """The histogram as Prometheus reads it.

        Args:
            name: of the metric.
        """
        total = 0
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum}"
        yield f"{name}_count {total}"


class ServerMetrics:
    """What is counted, on the event loop alone.

    Args:
        gauges: values of the moment by their names, with a text for people.
    """

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        self._gauges = gauges
        self._requests: Counter[tuple[str, int]] = Counter()
        self._tokens: Counter[str] = Counter()
        self._endings: Counter[str] = Counter()
        self._first, self._whole = Histogram(), Histogram()

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            path: the endpoint.
            status: of HTTP.
            seconds: until the last byte.
        """
        self._requests[path, status] += 1
        self._whole.observe(seconds)

    def count_first_token(self, seconds: float) -> None:
        """Count the first token of a generation.

        Args:
            seconds: since the request came.
        """
        self._first.observe(seconds)

    def count_generation(self, ending: str, prompt_tokens: int, completion_tokens: int) -> None:
        """Count a generation that is over.

        Args:
            ending: stop, length, cancelled or error.
            prompt_tokens: of its prompt.
            completion_tokens: that were generated.
        """
        self._endings[ending] += 1
        self._tokens["prompt"] += prompt_tokens
        self._tokens["completion"] += completion_tokens

    def render(self) -> str:
        """All metrics as text."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        yield from _head("shoal_requests_total", "counter", "Requests that were answered.")
        for (path, status), count in sorted(self._requests.items()):
            yield f'shoal_requests_total{{path="{path}",status="{status}"}} {count}'
        yield from _head("shoal_generations_total", "counter", "Generations that are over, by their ending.")
        for ending, count in sorted(self._endings.items()):
            yield f'shoal_generations_total{{ending="{ending}"}} {count}'
        yield from _head("shoal_tokens_total", "counter", "Tokens that were read and generated.")
        for kind in ("prompt", "completion"):
            yield f'shoal_tokens_total{{kind="{kind}"}} {self._tokens[kind]}'
        for name, (text, value) in self._gauges.items():
            yield from _head(name, "gauge", text)
            yield f"{name} {value()}"
        for name, text, histogram in (
            ("shoal_first_token_seconds", "Time from a request to its first token.", self._first),
            ("shoal_request_seconds", "Time from a request to the end of its response.", self._whole),
        ):
            yield from _head(name, "histogram", text)
            yield from histogram.lines(name)


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
