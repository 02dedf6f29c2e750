"""The thread that generates: what it takes, what it refuses, and how it ends."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from chat_models import chat_model, chat_tokenizer
from shoal.errors import ModelError
from shoal.models import LoadedModel
from shoal.serving import GenerationSettings, generate, make_generation_model
from shoal.serving.server.api_errors import ApiError
from shoal.serving.server.worker import GenerationWorker

WAIT = 30
SHORT, LONG = GenerationSettings(max_tokens=3), GenerationSettings(max_tokens=60)


@pytest.fixture(scope="module")
def own():
    """A model of this file's own, with two slots: a decoder has one user at a time."""
    tokenizer = chat_tokenizer()
    loaded = LoadedModel(spec="m", model=chat_model(), tokenizer=tokenizer, digest="0" * 64, parameters=1, origin="m")
    return make_generation_model(loaded, rows=2)


@pytest.fixture
def worker(own):
    made = GenerationWorker(own.decoder, max_waiting=1)
    yield made
    made.stop(WAIT)
    assert not made.alive


class Generations:
    """Generations of a worker, and what became of each."""

    def __init__(self, own):
        self.own, self.made, self.over = own, [], threading.Semaphore(0)

    def __call__(self, count=1, settings=SHORT):
        new = [self.own.start(self.own.encode("ab"), settings, on_piece=self.take) for _ in range(count)]
        self.made += new
        return new

    def take(self, piece):
        if piece.result is not None or piece.error is not None:
            self.over.release()

    def wait(self, count):
        assert all(self.over.acquire(timeout=WAIT) for _ in range(count))


@pytest.fixture
def generations(own):
    return Generations(own)


def wait_until(holds):
    deadline = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def hold(worker):
    """Keep the worker's thread between two steps, until the event is set."""
    held, going = threading.Event(), threading.Event()
    step = worker._engine.step

    def waiting():
        held.set()
        assert going.wait(WAIT)
        step()

    worker._engine.step = waiting
    return held, going


def test_what_fits_into_slots_and_queue_is_taken_whole_or_not_at_all(worker, generations):
    held, going = hold(worker)
    worker.submit(generations())
    assert held.wait(WAIT)
    # One of two slots and one place to wait are left.
    with pytest.raises(ApiError, match="and 3 more do not fit into the queue of 1") as fault:
        worker.submit(generations(3))
    assert (fault.value.status_code, fault.value.code, worker.waiting + worker.running) == (429, "queue_full", 1)
    worker.submit(generations(2))
    with pytest.raises(ApiError, match="do not fit"):
        worker.submit(generations())
    going.set()
    generations.wait(3)
    wait_until(lambda: worker.waiting + worker.running == 0)


def test_texts_of_the_thread_are_those_of_the_model(worker, generations, own):
    worker.submit(generations(2))
    generations.wait(2)
    worker.stop(WAIT)
    (alone,) = generate(own, ["ab"], SHORT).texts
    assert [one.result for one in generations.made] == [alone, alone]


def test_a_text_that_was_given_up_frees_its_place(worker, generations):
    held, going = hold(worker)
    given_up = generations(3, LONG)
    worker.submit(given_up)
    assert held.wait(WAIT)
    worker.cancel(given_up)
    going.set()
    wait_until(lambda: worker.waiting + worker.running == 0)
    worker.submit(generations(2))
    generations.wait(2)
    assert [one.result for one in given_up] == [None] * 3


def test_a_failing_step_ends_what_runs_with_its_reason_and_not_the_thread(worker, generations):
    step, worker._engine.step = worker._engine.step, lambda: torch.zeros(2) @ torch.zeros(3)
    worker.submit(generations(2))
    generations.wait(2)
    for one in generations.made:
        assert isinstance(one.error, ModelError)
        assert str(one.error).startswith("the generation failed: RuntimeError: ")
    worker._engine.step = step
    worker.submit(generations())
    generations.wait(1)
    assert worker.alive
    assert generations.made[-1].result is not None


def test_what_runs_when_the_worker_stops_is_finished(own, generations):
    worker = GenerationWorker(own.decoder, max_waiting=0)
    worker.submit(generations(2, LONG))
    worker.stop(WAIT)
    assert not worker.alive
    assert all(one.result is not None for one in generations.made)
    with pytest.raises(ApiError, match="the server is stopping; send the request to another one") as fault:
        worker.submit(generations())
    assert fault.value.status_code == 503


def test_what_takes_longer_than_the_patience_fails_and_leaves_no_row(own, generations):
    worker = GenerationWorker(own.decoder, max_waiting=4)
    held, going = hold(worker)
    worker.submit(generations(5, LONG))
    assert held.wait(WAIT)
    stopping = threading.Thread(target=worker.stop, args=(0,))
    stopping.start()
    wait_until(lambda: worker._max_waiting < 0)
    going.set()
    stopping.join(WAIT)
    assert not worker.alive
    assert [getattr(one.error, "status_code", None) for one in generations.made] == [503] * 5
    # The decoder is as free as it was.
    assert len(generate(own, ["ab"] * 2, SHORT).texts) == 2
