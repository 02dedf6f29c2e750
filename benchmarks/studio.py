"""The studio under load and attacked: is it as fast and as closed as it promises?

    python -m benchmarks.studio [--runs 10000] [--items 100000] [--part PART ...]

Parts: ``list`` (many runs), ``items`` (many items), ``live`` (fifty curves that grow), ``clients`` (fifty at once),
``refused`` (path traversal, forged requests, wrong tokens); `benchmarks.studio_kills` kills studio and trainers.
Every server listens on loopback, every part has a bound in requests and in time, and every process ends with it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.processes import write_result
from shoal.studio import BackgroundStudio, make_settings
from shoal.studio.index import RunIndex

PARTS = ("list", "items", "live", "clients", "refused")
TOKEN = "a-token-of-the-benchmark"
OUTSIDE = (
    "..",
    "..~1..~1etc~1passwd",
    "%2e%2e",
    "..%2f..%2fetc",
    "linked",
    "linked~1x",
    "one~1..~1..",
    "~1etc",
    ".shoal-studio",
)
"""Names of runs that lead elsewhere."""

FORGED: tuple[dict[str, str], ...] = (
    {},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
)
"""Headers of forms that other sites send."""

MAX_SECONDS = 120.0
"""Of one part of requests."""

VERDICTS = ("supported", "refuted", "underpowered", "confounded")
RUNNING_ARMS = ("pretrained", "random")


@dataclass
class Visitor:
    """A browser's side of a studio."""

    address: str
    cookie: str = ""
    seconds: list[float] = field(default_factory=list)

    def open(self, token: str = TOKEN) -> int:
        """Open the printed address, and keep its cookie."""
        status, headers, _ = self.request("GET", f"/?token={token}")
        self.cookie = headers.get("set-cookie", "").partition(";")[0]
        return status

    def request(
        self, method: str, path: str, *, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the answer to a request."""
        host, _, port = self.address.removeprefix("http://").partition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        begun = time.perf_counter()
        body = None if form is None else urlencode(form)
        sent = {"Cookie": self.cookie, **({"Content-Type": "application/x-www-form-urlencoded"} if form else {})}
        try:
            connection.request(method, path, body=body, headers=sent | (headers or {}))
            answer = connection.getresponse()
            text = answer.read()
            self.seconds.append(time.perf_counter() - begun)
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text
        finally:
            connection.close()

    def get(self, path: str) -> bytes:
        """The body of a page, which must be there."""
        status, _, text = self.request("GET", path)
        if status != 200:
            raise RuntimeError(f"{path} was answered with {status}: {text[-400:]!r}")
        return text


@contextmanager
def opened(root: Path, **settings: Any) -> Iterator[Visitor]:
    """A visitor of a studio in this process."""
    with BackgroundStudio(make_settings(root, token=TOKEN, **settings)) as studio:
        visitor = Visitor(studio.address)
        visitor.open()
        yield visitor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--part", choices=PARTS, nargs="*", default=list(PARTS))
    given = parser.parse_args()
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "list": lambda folder: many_runs(folder, given.runs),
        "items": lambda folder: many_items(folder, given.items),
        "live": live_runs,
        "clients": many_clients,
        "refused": refused,
    }
    found: dict[str, Any] = {}
    for part in given.part:
        with tempfile.TemporaryDirectory(prefix="shoal-studio-") as folder:
            found[part] = parts[part](Path(folder))
        for name, value in found[part].items():
            print(f"{part:8} {name:44} {value}", flush=True)
    write_result("studio", found)


def many_runs(root: Path, count: int) -> dict[str, Any]:
    """Seconds of lists, searches and sorts over many runs, and of the walks of the thread behind them."""
    draw = random.Random(0)
    for number in range(count):
        write_small_run(root / f"group-{number % 20}" / f"run-{number:05d}", number, draw)
    index = RunIndex(root, None)
    first, second = timed(index.refresh), timed(index.refresh)
    index.stop()
    with opened(root) as visitor:
        wait(lambda: f"{count:,} runs".encode() in visitor.get("/runs"))
        visitor.seconds.clear()
        queries = ("", "?sort=effect", "?search=number+77", "?verdict=refuted&sort=name", "?state=stopped", "?page=50")
        for query in queries * 10:
            visitor.get(f"/runs{query}")
        return {"runs": count, "first walk, s": round(first, 2), "later walk, s": round(second, 2), **spread(visitor)}


def many_items(root: Path, count: int) -> dict[str, Any]:
    """Seconds of pages of very many items."""
    folder = root / "large"
    write_small_run(folder, 0, random.Random(0))
    place = folder / "arms" / "random" / "seed-0"
    place.mkdir(parents=True)
    with (place / "after.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps(item(number)) + "\n")
    with opened(root) as visitor:
        first = timed(lambda: visitor.get("/runs/large/items"))
        visitor.seconds.clear()
        draw = random.Random(1)
        for _ in range(100):
            visitor.get(f"/runs/large/items?page={draw.randint(1, count // 20)}&outcome={draw.choice(['', 'wrong'])}")
        pages = spread(visitor)
        search = timed(lambda: visitor.get("/runs/large/items?search=number+4242"))
        again = timed(lambda: visitor.get("/runs/large/items?search=number+4242&page=2"))
    return {
        "items": count,
        "first page, s": round(first, 2),
        **pages,
        "first search, s": round(search, 2),
        "its second page, s": round(again, 3),
    }


def live_runs(root: Path, *, runs: int = 50, ticks: int = 20) -> dict[str, Any]:
    """Bytes and seconds of a tick of a page of fifty runs whose curves grow."""
    for number in range(runs):
        write_small_run(root / f"live-{number:02d}", number, random.Random(number), ended=False)
        grow(root / f"live-{number:02d}", 1, 2000)
    with opened(root) as visitor:
        cursors = dict.fromkeys((f"live-{number:02d}" for number in range(runs)), "")
        begun, sizes = time.perf_counter(), []
        visitor.seconds.clear()
        for tick in range(ticks):
            for name in cursors:
                grow(root / name, 2001 + 20 * tick, 2020 + 20 * tick)
                answer = visitor.get(f"/runs/{name}/live.json?{urlencode({'cursor': cursors[name]})}")
                cursors[name] = json.loads(answer)["cursor"]
                sizes.append(len(answer))
            if time.perf_counter() - begun > MAX_SECONDS:
                break
        later = sizes[runs:]
        return {
            "runs": runs,
            "ticks": len(sizes) // runs,
            "first answer, bytes (mean)": round(statistics.mean(sizes[:runs])),
            "later answer, bytes (mean)": round(statistics.mean(later)),
            "later answer, bytes (largest)": max(later),
            **spread(visitor),
        }


def many_clients(root: Path, *, clients: int = 50, requests: int = 20) -> dict[str, Any]:
    """Fifty clients at once, each with a bounded number of requests."""
    for number in range(200):
        write_small_run(root / f"run-{number:03d}", number, random.Random(number))
    with opened(root) as visitor:
        wait(lambda: b"200 runs" in visitor.get("/runs"))
        visitors = [Visitor(visitor.address, visitor.cookie) for _ in range(clients)]
        failures: list[str] = []
        end = time.monotonic() + MAX_SECONDS

        def visit(mine: Visitor) -> None:
            for number in range(requests):
                if time.monotonic() > end:
                    failures.append("out of time")
                    return
                try:
                    mine.get(("/runs", "/runs?sort=effect", "/live", "/start")[number % 4])
                except (RuntimeError, OSError) as fault:
                    failures.append(str(fault)[:100])

        begun = time.perf_counter()
        threads = [threading.Thread(target=visit, args=(mine,)) for mine in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(MAX_SECONDS)
        whole = time.perf_counter() - begun
        seconds = [value for mine in visitors for value in mine.seconds]
        together = Visitor(visitor.address, seconds=seconds)
        return {
            "clients": clients,
            "requests": len(seconds),
            "failures": len(failures),
            "requests per second": round(len(seconds) / whole, 1),
            **spread(together),
        }


def refused(root: Path) -> dict[str, Any]:
    """Requests that must be refused, by kind: how many there were, and how many passed."""
    write_small_run(root / "one", 0, random.Random(0))
    (root.parent / "outside.txt").write_text("secret of another folder")
    (root / "linked").symlink_to(root.parent)
    with opened(root) as visitor:
        stranger = Visitor(visitor.address)
        attempts = {
            "paths outside the folder": [
                visitor.request("GET", f"/runs/{name}/{tail}")[0]
                for name in OUTSIDE
                for tail in ("", "items", "live.json", "report.html", "inside/..%2fx.html")
            ],
            "wrong tokens": [Visitor(visitor.address).open(f"wrong-{number}") for number in range(50)],
            "no cookie": [stranger.request("GET", path)[0] for path in ("/runs", "/runs/one/", "/start", "/data")],
            "forged forms": [
                visitor.request("POST", path, form={"secret": "0" * 64}, headers=headers)[0]
                for path in ("/start", "/runs/one/stop", "/runs/one/resume", "/playground")
                for headers in (
                    {},
                    {"Origin": "http://evil.example"},
                    {"Origin": "null"},
                    {"Sec-Fetch-Site": "cross-site"},
                )
            ],
            "foreign hosts": [
                visitor.request("GET", "/runs", headers={"Host": host})[0]
                for host in ("evil.example", "127.0.0.1", "127.0.0.1.evil.example:80", "localhost:1")
            ],
        }
    (root.parent / "outside.txt").unlink()
    return {
        name: f"{len(statuses)} tried, {sum(status < 400 for status in statuses)} passed, "
        f"{sum(status >= 500 for status in statuses)} faults"
        for name, statuses in attempts.items()
    }


def write_small_run(folder: Path, number: int, draw: random.Random, *, ended: bool = True) -> None:
    """The files that a list reads, as `shoal run` writes them."""
    folder.mkdir(parents=True)
    plan = f'name = "run-{number}"\nhypothesis = "Number {number} learns"\npreset = "default"\nseeds = 6\n'
    arms = '[arms]\npretrained = "bundled:searches"\nrandom = "random:bundled:searches"\n'
    measure = '[measure]\nprimary = "exact_match"\nsmallest_effect = 0.1\n'
    roles = 'treatment = "pretrained"\nbaseline = "random"\n'
    split = '[task]\nname = "counting"\n[split]\nname = "last-digit"\n'
    (folder / "experiment.toml").write_text(plan + roles + split + arms + measure)
    if ended and number % 10:
        effect = {"estimate": draw.gauss(0.2, 0.3), "low": draw.gauss(-0.1, 0.1), "high": draw.gauss(0.5, 0.1)}
        verdict = {"verdict": VERDICTS[number % 4], "effect": effect}
        (folder / "verdict.json").write_text(json.dumps(verdict))


def grow(folder: Path, first: int, last: int) -> None:
    """Append steps to the curves of a run, as a training does: two arms, one seed each."""
    for arm in RUNNING_ARMS:
        place = folder / "arms" / arm / "seed-0"
        place.mkdir(parents=True, exist_ok=True)
        with (place / "curve.jsonl").open("a", encoding="utf-8") as file:
            for step in range(first, last + 1):
                point = {
                    "step": step,
                    "loss": 5 / step**0.5,
                    "learning_rate": 1e-3,
                    "gradient_norm": 1.0,
                    "tokens": step,
                }
                file.write(json.dumps(point) + "\n")


def item(number: int) -> dict[str, Any]:
    """An item as `shoal run` writes it, of about a kilobyte."""
    tokens = [f" {place}" for place in range(20)]
    return {
        "split": "held_out" if number % 3 == 0 else "seen",
        "prompt": f"This is number {number} of the items, and it is as long as a prompt of a question:",
        "completion": "".join(tokens),
        "ends": True,
        "tags": {"index": number},
        "index": number,
        "exact_match": number % 4 != 0,
        "string_match": number % 4 != 0,
        "first_divergence": 7 if number % 4 == 0 else None,
        "divergence": "other" if number % 4 == 0 else None,
        "margin": 1.5,
        "token_margins": [1.5] * 20,
        "tokens": 20,
        "token_accuracy": 1.0,
        "log_likelihood": -3.0,
        "bits_per_byte": 0.2,
        "greedy_text": "".join(tokens),
        "greedy_ends": True,
        "status": "clear",
        "tokens_text": tokens,
    }


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def is_open(visitor: Visitor) -> bool:
    """Whether a studio that was just started answers."""
    try:
        return visitor.open() == 303
    except ConnectionRefusedError:
        # It does not listen yet.
        return False


def wait(ready: Callable[[], bool], *, seconds: float = MAX_SECONDS) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.1)
    raise RuntimeError(f"the studio was not ready within {seconds:g} s")


def spread(visitor: Visitor) -> dict[str, Any]:
    """The median, the 95th percentile and the largest of the seconds."""
    seconds = sorted(visitor.seconds)
    at_95 = seconds[min(len(seconds) - 1, round(0.95 * len(seconds)))]
    return {
        "answer, s (median)": round(statistics.median(seconds), 3),
        "answer, s (95th percentile)": round(at_95, 3),
        "answer, s (largest)": round(seconds[-1], 3),
    }


if __name__ == "__main__":
    main()
