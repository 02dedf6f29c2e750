"""The simulation of many machines (`benchmarks.scale`) where the answer is known without it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from benchmarks.scale import Cluster, least_hours, simulate

EQUAL = Cluster(
    machines=20, speed_sigma=0.0, slow_share=0.0, mean_life=1e12, overhead=0.0, lost_answers=0.0, restart=60.0
)


def run(cluster, shards, *, reissue=False, resume=False, seed=0, work=20 * 3600.0):
    return simulate(cluster, work, shards, reissue=reissue, resume=resume, draws=random.Random(seed))


@pytest.mark.parametrize("per_worker", [1, 4, 16])
def test_equal_machines_that_never_die_take_their_share_of_the_work(per_worker):
    found = run(EQUAL, 20 * per_worker)
    assert found.makespan == pytest.approx(3600.0)
    assert (found.repeated, found.deaths, found.copies) == (0.0, 0, 0)
    assert least_hours(EQUAL, 20 * 3600.0) == pytest.approx(1.0)


def test_a_shard_more_than_there_are_machines_takes_a_round_more():
    assert run(EQUAL, 21).makespan == pytest.approx(2 * 20 * 3600.0 / 21)


def test_overhead_is_paid_for_each_shard():
    assert run(replace(EQUAL, overhead=10.0), 80).makespan == pytest.approx(3600.0 + 4 * 10.0)


def test_what_dies_is_repeated_unless_it_resumes():
    dying = replace(EQUAL, mean_life=3600.0)
    lost, resumed = run(dying, 40), run(dying, 40, resume=True)
    assert lost.deaths > 0
    assert lost.repeated > 0.05
    assert resumed.repeated == pytest.approx(0.0, abs=1e-9)
    assert resumed.makespan < lost.makespan


def test_one_slow_machine_is_waited_for_unless_its_shard_is_given_out_again():
    slow = replace(EQUAL, slow_share=0.2, slow_speed=0.1)
    waited, copied = run(slow, 20), run(slow, 20, reissue=True)
    assert waited.makespan == pytest.approx(36_000.0)
    assert copied.makespan == pytest.approx(7200.0)
    assert copied.copies > 0


def test_lost_answers_cost_nothing_where_the_file_is_in_sight():
    forgetful = replace(EQUAL, lost_answers=0.2)
    assert run(forgetful, 40).repeated >= 0.05
    assert run(forgetful, 40, resume=True).repeated == pytest.approx(0.0, abs=1e-9)


def test_the_same_seed_gives_the_same_evaluation():
    cluster = Cluster(machines=30, mean_life=7200.0)
    one, other = (run(cluster, 120, reissue=True, resume=True, seed=5) for _ in range(2))
    assert one == other
