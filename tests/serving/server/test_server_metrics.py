"""The metrics of a server are text that Prometheus reads."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given, strategies as st

from shoal.serving.server.metrics import Histogram, ServerMetrics

LINE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")


def parsed(text):
    """Samples by name and labels, and the kind of each metric."""
    samples, kinds = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            found = LINE.fullmatch(line)
            assert found, line
            labels = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', found["labels"] or "")))
            assert (found["name"], labels) not in samples
            samples[found["name"], labels] = float(found["value"])
    return samples, kinds


def buckets(histogram):
    samples, _ = parsed("\n".join(histogram.lines("h")))
    return {dict(labels)["le"]: value for (name, labels), value in samples.items() if name == "h_bucket"}


@pytest.mark.parametrize(
    ("seconds", "below", "above"),
    [
        (0.0, "0.01", None),
        (0.01, "0.01", None),
        (0.0101, "0.05", "0.01"),
        (1.0, "1.0", "0.5"),
        (59.9, "60.0", "30.0"),
        (300.0, "300.0", "120.0"),
        (300.1, "+Inf", "300.0"),
    ],
)
def test_an_observation_counts_in_every_bucket_that_it_does_not_exceed(seconds, below, above):
    histogram = Histogram()
    histogram.observe(seconds)
    found = buckets(histogram)
    assert found[below] == 1
    if above is not None:
        assert found[above] == 0


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_buckets_are_cumulative_counts(observed):
    histogram = Histogram()
    for seconds in observed:
        histogram.observe(seconds)
    found = buckets(histogram)
    for bound, count in found.items():
        assert count == sum(seconds <= float(bound.replace("+Inf", "inf")) for seconds in observed)
    samples, _ = parsed("\n".join(histogram.lines("h")))
    assert samples["h_count", ()] == len(observed)
    assert samples["h_sum", ()] == pytest.approx(sum(observed))


def test_a_server_that_did_nothing_shows_zeros():
    samples, kinds = parsed(ServerMetrics({}).render())
    assert kinds == {
        "shoal_requests_total": "counter",
        "shoal_generations_total": "counter",
        "shoal_tokens_total": "counter",
        "shoal_first_token_seconds": "histogram",
        "shoal_request_seconds": "histogram",
    }
    assert set(samples.values()) == {0}
    assert samples["shoal_tokens_total", (("kind", "prompt"),)] == 0


def test_requests_are_counted_by_path_and_status():
    metrics = ServerMetrics({})
    for path, status, seconds in (("/a", 200, 0.2), ("/a", 200, 0.4), ("/a", 400, 0.0), ("/b", 200, 400.0)):
        metrics.count_request(path, status, seconds)
    samples, _ = parsed(metrics.render())
    counted = {labels: value for (name, labels), value in samples.items() if name == "shoal_requests_total"}
    assert counted == {
        (("path", "/a"), ("status", "200")): 2,
        (("path", "/a"), ("status", "400")): 1,
        (("path", "/b"), ("status", "200")): 1,
    }
    assert samples["shoal_request_seconds_sum", ()] == pytest.approx(400.6)
    assert samples["shoal_request_seconds_bucket", (("le", "300.0"),)] == 3
    assert samples["shoal_first_token_seconds_count", ()] == 0


def test_tokens_and_endings_are_added_up():
    metrics = ServerMetrics({})
    for ending, read, written in (("stop", 3, 5), ("length", 7, 16), ("stop", 1, 0), ("cancelled", 9, 0)):
        metrics.count_generation(ending, read, written)
    metrics.count_first_token(0.3)
    samples, _ = parsed(metrics.render())
    assert samples["shoal_tokens_total", (("kind", "prompt"),)] == 20
    assert samples["shoal_tokens_total", (("kind", "completion"),)] == 21
    assert samples["shoal_generations_total", (("ending", "stop"),)] == 2
    assert samples["shoal_generations_total", (("ending", "cancelled"),)] == 1
    assert samples["shoal_first_token_seconds_bucket", (("le", "0.25"),)] == 0
    assert samples["shoal_first_token_seconds_bucket", (("le", "0.5"),)] == 1


def test_a_gauge_is_read_when_the_text_is_written():
    waiting = [1, 2, 3]
    metrics = ServerMetrics({"shoal_waiting": ("Texts that wait.", lambda: len(waiting))})
    first, _ = parsed(metrics.render())
    waiting.clear()
    second, kinds = parsed(metrics.render())
    assert (first["shoal_waiting", ()], second["shoal_waiting", ()]) == (3, 0)
    assert kinds["shoal_waiting"] == "gauge"
    assert "# HELP shoal_waiting Texts that wait.\n" in metrics.render()


def test_counts_of_several_threads_are_all_there():
    metrics = ServerMetrics({})

    def count():
        for _ in range(200):
            metrics.count_request("/a", 200, 0.1)
            metrics.count_generation("stop", 1, 2)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    samples, _ = parsed(metrics.render())
    assert samples["shoal_requests_total", (("path", "/a"), ("status", "200"))] == 800
    assert samples["shoal_tokens_total", (("kind", "completion"),)] == 1600
