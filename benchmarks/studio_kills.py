"""SIGKILL of studio and trainers at random moments: is a record lost, a file half-written, or a state shown wrong?

    python -m benchmarks.studio_kills [--kills 50] [--seed 0]

A studio starts a toy experiment. Then either the studio or the trainer is killed, again and again: the trainer after a
random number of CPU-seconds of its own (the load of the machine has no part in it), the studio at a random moment, or
some milliseconds after it was asked to resume a run. A studio that was killed is started again, a run whose trainer was
killed is resumed by its button, and where one has come to its end the next is started. After each kill

- what was finished before it must be there with the same bytes (a lost record);
- every file of the run must be whole (a half-written file); the last line of a file that is appended to may be cut,
  since the next process drops it;
- the studio must show the state that the processes and files have (a state shown wrong).

At the end every run must have the records of one that was left alone. Some 150 CPU-seconds for 50 kills.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.processes import ONE_THREAD, write_result
from benchmarks.studio import TOKEN, Visitor, is_open, wait
from benchmarks.toys import toy_experiment
from shoal.experiments import is_locked

STUDIO_SHARE = 0.55
"""Of the kills, those of the studio: its start costs a third of a trainer's."""

MAX_CPU = 9.0
"""CPU-seconds of a trainer and its worker after which it is killed, at most: about what both take to import."""

MAX_SECONDS = 3600.0
APART = ("environment.json", "timings.jsonl", "report.html", ".lock")
"""What says when, where or how fast."""

TOY = toy_experiment("toy", largest=6, epochs=3, learning_rate=1e-3, checkpoint_seconds=0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="shoal-kills-") as folder:
        found = _Killing(Path(folder), random.Random(given.seed)).run(given.kills)
    for name, value in found.items():
        print(f"{name:44} {value}", flush=True)
    write_result("studio_kills", found)


class _Killing:
    """One benchmark: its studio, its runs, and what was counted."""

    def __init__(self, root: Path, draw: random.Random) -> None:
        self.root, self.runs, self.draw = root, root / "runs", draw
        self.plan = root / "toy.toml"
        self.plan.write_text(TOY)
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.number = 0
        self.finished: dict[str, dict[str, str]] = {}
        self.done = 0

    @property
    def name(self) -> str:
        """Of the run that is worked on."""
        return f"toy-{self.number}"

    @property
    def folder(self) -> Path:
        return self.runs / self.name

    def run(self, kills: int) -> dict[str, Any]:
        """Kill so often, and count."""
        begun, end = time.monotonic(), time.monotonic() + MAX_SECONDS
        self.studio, self.visitor = start_studio(self.runs, self.plan)
        try:
            while self.counts["studio"] + self.counts["trainer"] < kills and time.monotonic() < end:
                self._begin()
                if self.draw.random() < STUDIO_SHARE:
                    time.sleep(self.draw.uniform(0.05, 0.8))
                    self._kill_studio()
                elif self._kill_trainer():
                    self._resume()
            while time.monotonic() < end and not (self.folder / "verdict.json").is_file():
                self._begin()
                time.sleep(0.5)
            self._await_end()
        finally:
            self.studio.kill()
            self.studio.wait()
            for pid in trainers_of(self.runs):
                os.kill(pid, signal.SIGKILL)
        return self._compare() | {"minutes": round((time.monotonic() - begun) / 60, 1)}

    def _begin(self) -> None:
        """See that the run is under way: start the first or the next one, or resume it."""
        if trainers_of(self.runs):
            return
        if not self.number or (self.folder / "verdict.json").is_file():
            self._check()
            self.number += 1
            self.finished, self.done = {}, 0
            self._start()
        elif self.folder.is_dir() and any(self.folder.glob("*.toml")):
            self._send_resume()
        else:
            # Killed before anything was written: there is no run to resume, and its name is free.
            self._start()

    def _kill_trainer(self) -> bool:
        """Kill the trainer after some CPU-seconds; False where it has ended before."""
        limit = self.draw.uniform(0.0, MAX_CPU)
        while (pids := trainers_of(self.runs)) and cpu_seconds(pids[0]) < limit:
            time.sleep(0.15)
        if not pids:
            return False
        self.finished |= finished_records(self.folder)
        family = [*pids, *descendants(pids[0])]
        os.kill(pids[0], signal.SIGKILL)
        self.counts["trainer"] += 1
        # A worker ends when its input does; until then the run is locked, and truly under way.
        wait(lambda: not any(is_alive(pid) for pid in family) and not is_locked(self.folder))
        self._check()
        return True

    def _resume(self) -> None:
        """Resume the run; now and then the studio is killed in the middle of that."""
        if (self.folder / "verdict.json").is_file() or not any(self.folder.glob("*.toml")):
            return
        if self.draw.random() < 0.3:
            thread = threading.Thread(target=self._send_resume, kwargs={"careful": False})
            thread.start()
            time.sleep(self.draw.uniform(0.0, 0.1))
            self._kill_studio()
            thread.join()
        else:
            self._send_resume()

    def _start(self) -> None:
        self._ask("/start", {"plan": "file-0", "name": self.name, "workers": "1"})

    def _send_resume(self, *, careful: bool = True) -> None:
        path = f"/runs/{self.name}/resume"
        if careful:
            self._ask(path, {})
            return
        with suppress(OSError, RuntimeError):
            send(self.visitor, path, {})

    def _ask(self, path: str, form: dict[str, str]) -> None:
        """Ask until the studio agrees, or the run is under way, or over.

        A studio that was killed while it started a trainer leaves the next one in doubt, for some seconds, whether
        that trainer will come.
        """

        def settled() -> bool:
            if trainers_of(self.runs) or (self.folder / "verdict.json").is_file():
                return True
            try:
                send(self.visitor, path, form)
            except RuntimeError as error:
                if "answered with 409" not in str(error):
                    raise
                return False
            return True

        wait(settled)

    def _kill_studio(self) -> None:
        self.finished |= finished_records(self.folder)
        self.studio.kill()
        self.studio.wait()
        self.counts["studio"] += 1
        self.studio, self.visitor = start_studio(self.runs, self.plan)
        self._check()

    def _await_end(self) -> None:
        wait(lambda: not trainers_of(self.runs), seconds=600)
        self._check()

    def _check(self) -> None:
        """Count what is lost, half-written or shown wrong."""
        if not self.number:
            return
        now = {name: digest(self.folder / name) for name in self.finished}
        self._note("lost records", [name for name, held in self.finished.items() if now[name] != held])
        jobs = self.runs / ".shoal-studio" / "jobs" / self.name
        self._note("half-written files", [*half_written(self.folder), *half_written(jobs)])
        for _ in range(20):
            before = self._true_states()
            record = json.loads(self.visitor.get(f"/runs/{self.name}/live.json"))
            steady = before == self._true_states()
            if steady and record["state"] in before:
                break
            # A process may end while the studio is asked, and its last threads hold its lock for a moment after that:
            # then the studio is asked again.
            time.sleep(0.05)
        if not steady:
            return
        self.counts["looks"] += 1
        wrong = [] if record["state"] in before else [f"{record['state']} and not {' or '.join(before)}"]
        if record["done"] < self.done:
            wrong.append(f"{record['done']} units where {self.done} were shown before")
        self.done = max(self.done, record["done"])
        self._note("states shown wrong", wrong)

    def _true_states(self) -> tuple[str, ...]:
        """What the run is, by its processes and files."""
        ended = (self.folder / "verdict.json").is_file()
        if trainers_of(self.runs):
            return ("starting", "running")
        if is_locked(self.folder):
            return ("running",)
        return ("finished",) if ended else ("killed",)

    def _note(self, what: str, found: list[str]) -> None:
        self.counts[what] += len(found)
        self.faults += [f"{self.name}: {what}: {one}" for one in found]
        for one in found:
            print(f"{self.name}: {what}: {one}", flush=True)

    def _compare(self) -> dict[str, Any]:
        """Each run that came to its end, beside one that was left alone."""
        whole = self.root / "whole"
        subprocess.run(
            [sys.executable, "-m", "shoal", "run", str(self.plan), "--out", str(whole), "--workers", "1"],
            check=True, capture_output=True, env=os.environ | ONE_THREAD,
        )  # fmt: skip
        ended = [folder for folder in sorted(self.runs.glob("toy-*")) if (folder / "verdict.json").is_file()]
        different = {folder.name: differing(whole, folder) for folder in ended}
        left = [str(path.relative_to(self.runs)) for path in self.runs.rglob(".*.tmp")]
        return {
            "kills of the studio": self.counts["studio"],
            "kills of the trainer": self.counts["trainer"],
            "runs that came to their end": len(ended),
            "states looked at": self.counts["looks"],
            **{what: self.counts[what] for what in ("lost records", "half-written files", "states shown wrong")},
            "records that differ from an undisturbed run": sum(map(len, different.values())),
            "which": "; ".join(f"{name}: {', '.join(names[:5])}" for name, names in different.items() if names),
            "partial files left": len(left),
            "faults": "; ".join(self.faults[:10]),
        }


def start_studio(runs: Path, plan: Path) -> tuple[subprocess.Popen[str], Visitor]:
    """A studio as a process of its own, and a browser's side of it."""
    words = [sys.executable, "-m", "shoal", "studio", str(runs), "--port", "0", "--token", TOKEN, "--json"]
    process = subprocess.Popen(
        [*words, "--examples", str(plan)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1, env=os.environ | ONE_THREAD,
    )  # fmt: skip
    assert process.stdout is not None
    text = ""
    while '"read_only"' not in text:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the studio ended with {process.wait()}")
        text += line
    visitor = Visitor(text.partition('"url": "')[2].partition("/?")[0])
    wait(lambda: is_open(visitor))
    return process, visitor


def send(visitor: Visitor, path: str, form: dict[str, str]) -> None:
    """Send a form of the studio's own pages."""
    page = visitor.get("/playground").decode()
    secret = page.partition('name="secret" value="')[2].partition('"')[0]
    status, _, text = visitor.request("POST", path, form=form | {"secret": secret})
    if status != 303:
        raise RuntimeError(f"{path} was answered with {status}: {text[-400:]!r}")


def trainers_of(runs: Path) -> list[int]:
    """The trainers of this benchmark's folder, and no others, by what their command line names."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = place.read_bytes()
            if b"shoal.studio.trainer" in words and str(runs).encode() in words:
                found.append(int(place.parent.name))
    return [pid for pid in found if is_alive(pid)]


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not asked after does not."""
    return bool(fields := stat_of(pid)) and fields[0] != "Z"


def stat_of(pid: int) -> list[str]:
    """``/proc/PID/stat`` behind the name, from the state on; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        if fields := stat_of(int(place.name)):
            parents.setdefault(int(fields[1]), []).append(int(place.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def cpu_seconds(pid: int) -> float:
    """Of a process and its descendants."""
    ticks = sum(sum(map(int, fields[11:13])) for one in (pid, *descendants(pid)) if (fields := stat_of(one)))
    return ticks / os.sysconf("SC_CLK_TCK")


def digest(path: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def finished_records(folder: Path) -> dict[str, str]:
    """The digests of what is finished: whole units, and the files that are written once."""
    paths = [path for done in folder.glob("arms/*/*/done.json") for path in done.parent.iterdir() if path.is_file()]
    paths += [folder / name for name in ("certificate.json", "narrowness.json", "choices.json", "experiment.toml")]
    return {str(path.relative_to(folder)): digest(path) for path in paths if path.is_file()}


def half_written(folder: Path) -> list[str]:
    """The files that are not whole; partial files that were never renamed are none of a run's."""
    found = []
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and not (path.name.startswith(".") and path.suffix == ".tmp"):
            try:
                read_whole(path)
            except FileNotFoundError:
                # A trainer that is alive has replaced it meanwhile.
                continue
            except (ValueError, KeyError) as fault:
                found.append(f"{path.relative_to(folder)} ({type(fault).__name__})")
    return found


def read_whole(path: Path) -> None:
    """Read a file of a known kind.

    Raises:
        ValueError: it is cut short.
    """
    data = path.read_bytes()
    if path.suffix == ".json":
        json.loads(data)
    elif path.suffix == ".toml":
        tomllib.loads(data.decode())
    elif path.suffix == ".jsonl":
        for line in data.splitlines(keepends=True):
            if line.endswith(b"\n"):
                json.loads(line)
    elif path.suffix == ".safetensors":
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        ends = [one["data_offsets"][1] for name, one in header.items() if name != "__metadata__"]
        if len(data) != 8 + size + max(ends, default=0):
            raise ValueError(f"{path.name} has {len(data)} bytes")
    elif path.suffix == ".html" and not data.rstrip().endswith(b"</html>"):
        raise ValueError(f"{path.name} has no end")


def differing(whole: Path, other: Path) -> list[str]:
    """The records that two runs do not share byte for byte."""
    names = {path.relative_to(folder) for folder in (whole, other) for path in folder.rglob("*") if path.is_file()}
    return [
        str(name)
        for name in sorted(names)
        if name.name not in APART
        # What is named after the moment at which it was written, and pages: they are drawn from the records later.
        and name.parts[0] not in ("lm-eval", "inside")
        and digest(whole / name) != digest(other / name)
    ]


if __name__ == "__main__":
    main()
