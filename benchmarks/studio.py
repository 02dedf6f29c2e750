"""The studio under load, attacked and killed: is it as fast, as closed and as careful as it promises?

    python -m benchmarks.studio [--runs 10000] [--items 100000] [--kills 6] [--part PART ...]

Parts: ``list`` (many runs), ``items`` (many items), ``live`` (fifty curves that grow), ``clients`` (fifty at once),
``refused`` (path traversal, forged requests, wrong tokens), ``killed`` (SIGKILL of studio and trainer at times).
Every server listens on loopback, every part has a bound in requests and in time, and every process ends with it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.processes import SHOAL_PYTHON, write_result
from shoal.studio import BackgroundStudio, make_settings
from shoal.studio.index import RunIndex

PARTS = ("list", "items", "live", "clients", "refused", "killed")
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
APART = ("environment.json", "timings.jsonl", "report.html", ".lock")
"""What says when, where or how fast."""


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
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS, nargs="*", default=list(PARTS))
    given = parser.parse_args()
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        "list": lambda folder: many_runs(folder, given.runs),
        "items": lambda folder: many_items(folder, given.items),
        "live": live_runs,
        "clients": many_clients,
        "refused": refused,
        "killed": lambda folder: killed(folder, given.kills, random.Random(given.seed)),
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


def killed(root: Path, kills: int, draw: random.Random) -> dict[str, Any]:
    """SIGKILL of studio and trainer at random moments: does the run end with the records of one left alone?"""
    plan = root / "small.toml"
    plan.write_text(SMALL)
    runs, whole = root / "runs", root / "whole"
    subprocess.run(
        [SHOAL_PYTHON, "-m", "shoal", "run", str(plan), "--out", str(whole), "--workers", "1"],
        check=True,
        capture_output=True,
    )
    done = {"studio": 0, "trainer": 0}
    studio, visitor = start_studio(runs, plan)
    try:
        send(visitor, "/start", {"plan": "file-0", "name": "small", "workers": "1"})
        for number in range(kills):
            time.sleep(draw.uniform(1, 12))
            if number % 2:
                studio.kill()
                studio.wait()
                done["studio"] += 1
                studio, visitor = start_studio(runs, plan)
            else:
                done["trainer"] += kill_trainers(runs)
                record = wait_for(visitor, ("killed", "finished"))
                if record["can_resume"]:
                    send(visitor, "/runs/small/resume", {})
        record = wait_for(visitor, ("finished", "killed", "failed", "stopped"), seconds=1800)
        if record["can_resume"]:
            send(visitor, "/runs/small/resume", {})
            record = wait_for(visitor, ("finished", "failed"), seconds=1800)
    finally:
        studio.kill()
        studio.wait()
        kill_trainers(runs)
    different = differing(whole, runs / "small")
    return {**{f"kills of the {name}": count for name, count in done.items()}, "state at the end": record["state"],
            "records that differ": len(different), "which": ", ".join(different[:5])}  # fmt: skip


def start_studio(runs: Path, plan: Path) -> tuple[subprocess.Popen[str], Visitor]:
    """A studio as a process of its own."""
    words = [SHOAL_PYTHON, "-m", "shoal", "studio", str(runs), "--port", "0", "--token", TOKEN, "--json"]
    process = subprocess.Popen(
        [*words, "--examples", str(plan)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1
    )
    assert process.stdout is not None
    text = ""
    while '"read_only"' not in text:
        text += process.stdout.readline()
    visitor = Visitor(text.partition('"url": "')[2].partition("/?")[0])
    wait(lambda: is_open(visitor))
    return process, visitor


def send(visitor: Visitor, path: str, form: dict[str, str]) -> None:
    page = visitor.get("/start").decode()
    secret = page.partition('name="secret" value="')[2].partition('"')[0]
    status, _, text = visitor.request("POST", path, form=form | {"secret": secret})
    if status != 303:
        raise RuntimeError(f"{path} was answered with {status}: {text[-400:]!r}")


def wait_for(visitor: Visitor, states: tuple[str, ...], *, seconds: float = 120) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        record: dict[str, Any] = json.loads(visitor.get("/runs/small/live.json"))
        if record["state"] in states:
            return record
        time.sleep(0.5)
    raise RuntimeError(f"the run was none of {states} within {seconds} s: {record['state']}")


def kill_trainers(runs: Path) -> int:
    """Kill the trainers of this benchmark's folder, by what their command line names."""
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"shoal.studio.trainer" in words and any(str(runs).encode() in word for word in words):
                os.kill(int(folder.name), signal.SIGKILL)
                count += 1
    return count


def differing(whole: Path, other: Path) -> list[str]:
    """The records that two runs do not share byte for byte."""
    names = {path.relative_to(folder) for folder in (whole, other) for path in folder.rglob("*") if path.is_file()}
    return [
        str(name)
        for name in sorted(names)
        if name.name not in APART
        # Named after the moment at which they were written.
        and name.parts[0] != "lm-eval"
        and not ((whole / name).is_file() and (other / name).is_file()
                 and (whole / name).read_bytes() == (other / name).read_bytes())
    ]  # fmt: skip


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


SMALL = """\
name = "small"
hypothesis = "Given weights beat fresh ones."
treatment = "given"
baseline = "fresh"
seeds = 2
device = "cpu"
[task]
name = "counting"
options = { largest = 12 }
[split]
name = "last-digit"
[arms]
given = "bundled:searches"
fresh = "random:bundled:searches"
[training]
epochs = 20
batch_tokens = 32
precision = "float32"
checkpoint_seconds = 0.2
[measure]
primary = "agreed_prefix"
smallest_effect = 0.1
[controls]
shuffled_weights = false
"""


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
