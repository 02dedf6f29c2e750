"""What many machines take for one evaluation: a simulation of workers that die, are slow, and answer twice.

    python -m benchmarks.scale                     # the tables of docs/design/scale.md
    python -m benchmarks.scale --machines 100 --hours 1000

A plan's work is split into shards of equal work, and machines take one after the other. A machine's speed is drawn
once. A machine dies after an exponential time and comes back after a restart; the shard that it had goes back to the
front of the queue, with what it had done (a file that all machines see) or without. With re-issue, a machine that finds
the queue empty takes a copy of the running shard that would end last, if it would be done with it before; the first to
end counts.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import statistics
from dataclasses import dataclass, replace
from itertools import count

from benchmarks.processes import write_result

_MAX_COPIES = 3
"""Machines at one shard at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines, and what goes wrong with them."""

    machines: int = 1000

    speed_sigma: float = 0.1
    """Standard deviation of the logarithm of a machine's speed."""

    slow_share: float = 0.02
    """How many machines have a neighbour that takes most of them."""

    slow_speed: float = 0.25

    mean_life: float = 50 * 3600.0
    """Seconds between the deaths of a machine: spot machines and preemptions, rather than broken hardware."""

    restart: float = 120.0
    """Seconds from a death until the machine has loaded the model again."""

    overhead: float = 2.0
    """Seconds that each shard costs besides its items: a lock, a file, the plan."""

    lost_answers: float = 0.005
    """How often a shard is whole and its worker's answer is lost, so that it is given out again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One simulated evaluation."""

    makespan: float
    """Seconds until the last shard was whole."""

    machine_seconds: float
    """Seconds of all machines until then: what is paid for."""

    repeated: float
    """The share of the work that was done more than once."""

    deaths: int
    copies: int
    """Shards that were given to a second machine while the first one still had them."""


@dataclass(slots=True)
class _Run:
    """A machine at a shard."""

    machine: int
    shard: int
    start: float
    end: float
    before: float
    """The share that was done when the machine took it."""


def simulate(
    cluster: Cluster, work: float, shards: int, *, reissue: bool, resume: bool, draws: random.Random
) -> Outcome:
    """Simulate one evaluation.

    Args:
        cluster: the machines.
        work: seconds that all items take one machine of speed 1.
        shards: into how many the plan is split.
        reissue: whether late shards are given to a second machine.
        resume: whether a shard that is given out again has what was done of it before.
        draws: where chance comes from.
    """
    return _Simulation(cluster, work, shards, reissue=reissue, resume=resume, draws=draws).run()


class _Simulation:
    def __init__(
        self, cluster: Cluster, work: float, shards: int, *, reissue: bool, resume: bool, draws: random.Random
    ) -> None:
        self.cluster, self.each, self.draws = cluster, work / shards, draws
        self.reissue, self.resume = reissue, resume
        self.speeds = [self.speed() for _ in range(cluster.machines)]
        self.waiting = list(range(shards))[::-1]
        self.done_share = [0.0] * shards
        self.left = shards
        self.running: dict[int, list[_Run]] = {}
        self.idle: list[int] = []
        self.events: list[tuple[float, int, str, int, _Run | None]] = []
        self.numbers = count()
        self.busy = self.copies = self.deaths = 0.0
        self.done = [False] * shards
        # A death ends whatever the machine does: its next one is known from the start.
        self.next_death = [draws.expovariate(1 / cluster.mean_life) for _ in range(cluster.machines)]

    def speed(self) -> float:
        if self.draws.random() < self.cluster.slow_share:
            return self.cluster.slow_speed
        return math.exp(self.draws.gauss(0.0, self.cluster.speed_sigma))

    def run(self) -> Outcome:
        for machine in range(self.cluster.machines):
            self.push(0.0, "free", machine, None)
        now = 0.0
        while self.left:
            now, _, what, machine, run = heapq.heappop(self.events)
            if what == "free":
                self.take(now, machine)
            elif run is not None and run in self.running.get(run.shard, ()):
                self.end(now, run)
        useful = self.each * len(self.done)
        repeated = max(0.0, self.busy - useful) / useful
        return Outcome(
            makespan=now,
            machine_seconds=now * self.cluster.machines,
            repeated=repeated,
            deaths=int(self.deaths),
            copies=int(self.copies),
        )

    def push(self, time: float, what: str, machine: int, run: _Run | None) -> None:
        heapq.heappush(self.events, (time, next(self.numbers), what, machine, run))

    def take(self, now: float, machine: int) -> None:
        """A machine that is free takes a shard, or waits for one."""
        if now >= self.next_death[machine]:
            self.die(machine)
            self.push(now + self.cluster.restart, "free", machine, None)
            return
        shard = self.next_shard(now, machine)
        if shard is None:
            self.idle.append(machine)
            return
        before = self.done_share[shard] if self.resume else 0.0
        run = _Run(machine, shard, now, now + self.needed(machine, shard), before)
        self.running.setdefault(shard, []).append(run)
        self.push(min(run.end, self.next_death[machine]), "end", machine, run)

    def next_shard(self, now: float, machine: int) -> int | None:
        """The next one of the queue, or the running one that ends last, if this machine would be done before."""
        while self.waiting:
            shard = self.waiting.pop()
            if not self.done[shard]:
                return shard
        if not self.reissue:
            return None
        ends = {
            shard: min(run.end for run in runs) for shard, runs in self.running.items() if 0 < len(runs) < _MAX_COPIES
        }
        late = max(ends, key=ends.__getitem__, default=None)
        if late is None or now + self.needed(machine, late) >= ends[late]:
            return None
        self.copies += 1
        return late

    def needed(self, machine: int, shard: int) -> float:
        """Seconds that a machine needs for a shard."""
        before = self.done_share[shard] if self.resume else 0.0
        return self.cluster.overhead + self.each * (1 - before) / self.speeds[machine]

    def end(self, now: float, run: _Run) -> None:
        """A run ends: its shard is whole, or its machine is dead."""
        self.running[run.shard].remove(run)
        share = min(1.0, run.before + self.progress(now, run))
        self.busy += (share - run.before) * self.each
        if now >= self.next_death[run.machine] and now < run.end:
            self.die(run.machine)
            self.done_share[run.shard] = max(self.done_share[run.shard], share)
            self.give_back(now, run.shard)
            self.push(now + self.cluster.restart, "free", run.machine, None)
            return
        if self.draws.random() < self.cluster.lost_answers:
            # The work is done and nobody knows; with the file in sight it is found whole at once.
            self.done_share[run.shard] = 1.0
            self.give_back(now, run.shard)
        elif not self.done[run.shard]:
            self.done[run.shard] = True
            self.left -= 1
        for other in self.running.pop(run.shard, []) if self.done[run.shard] else []:
            self.busy += self.progress(now, other) * self.each
            self.push(now, "free", other.machine, None)
        self.push(now, "free", run.machine, None)

    def progress(self, now: float, run: _Run) -> float:
        """The share of the shard that a run has done."""
        spent = max(0.0, now - run.start - self.cluster.overhead)
        return min(1 - run.before, spent * self.speeds[run.machine] / self.each)

    def give_back(self, now: float, shard: int) -> None:
        """A shard has lost a machine: it waits again, or its other machine may get a copy again."""
        if self.done[shard]:
            return
        if not self.running.get(shard):
            self.running.pop(shard, None)
            self.waiting.append(shard)
        if self.idle:
            self.push(now, "free", self.idle.pop(), None)

    def die(self, machine: int) -> None:
        self.deaths += 1
        self.next_death[machine] += self.cluster.restart + self.draws.expovariate(1 / self.cluster.mean_life)


def repeat(
    cluster: Cluster, work: float, per_worker: int, times: int, *, reissue: bool, resume: bool
) -> dict[str, float]:
    """The mean and the range of several evaluations, in hours."""
    found = [
        simulate(
            cluster,
            work,
            per_worker * cluster.machines,
            reissue=reissue,
            resume=resume,
            draws=random.Random(seed),
        )
        for seed in range(times)
    ]
    spans = sorted(one.makespan / 3600 for one in found)
    return {
        "shards_per_worker": per_worker,
        "reissue": reissue,
        "resume": resume,
        "hours": statistics.mean(spans),
        "hours_low": spans[0],
        "hours_high": spans[-1],
        "machine_hours": statistics.mean(one.machine_seconds / 3600 for one in found),
        "repeated": statistics.mean(one.repeated for one in found),
        "deaths": statistics.mean(one.deaths for one in found),
        "copies": statistics.mean(one.copies for one in found),
    }


def least_hours(cluster: Cluster, work: float) -> float:
    """The time that work takes which is split without a rest over machines that never die, in hours."""
    ordinary = math.exp(cluster.speed_sigma**2 / 2)
    speed = cluster.slow_share * cluster.slow_speed + (1 - cluster.slow_share) * ordinary
    return work / (cluster.machines * speed) / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=1000)
    parser.add_argument(
        "--hours", type=float, nargs="+", default=[75.0, 14_000.0], help="of one machine, for all items"
    )
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--per-worker", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    given = parser.parse_args()
    cluster = replace(Cluster(), machines=given.machines)
    rows = []
    for hours in given.hours:
        least = least_hours(cluster, hours * 3600)
        print(f"\n{hours:,.0f} machine-hours of work on {cluster.machines:,} machines: at least {least:.3f} h")
        print("shards/worker  re-issue  resume   hours (range)            machine-hours  repeated  deaths  copies")
        for per_worker in given.per_worker:
            for reissue, resume in ((False, False), (False, True), (True, False), (True, True)):
                row = repeat(cluster, hours * 3600, per_worker, given.times, reissue=reissue, resume=resume)
                rows.append({"work_hours": hours, "least_hours": least, **row})
                print(
                    f"{per_worker:13}  {'yes' if reissue else 'no':8}  {'yes' if resume else 'no':6}  "
                    f"{row['hours']:8.3f} ({row['hours_low']:.3f} to {row['hours_high']:.3f})  "
                    f"{row['machine_hours']:13,.0f}  {row['repeated']:8.1%}  {row['deaths']:6.0f}"
                    f"  {row['copies']:6.0f}",
                    flush=True,
                )
    write_result("scale", {"rows": rows})


if __name__ == "__main__":
    main()
