from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from shoal.training import kernels
from shoal.training.kernels import Workspace


def _random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_losses_are_those_of_torch_from_the_smallest_to_the_largest_logits():
    logits = _random(200, 333) * torch.logspace(-3, 2, 200)[:, None]
    targets = torch.arange(200) % 333
    expected = torch.nn.functional.cross_entropy(logits.double(), targets, reduction="none")
    slopes = torch.softmax(logits.double(), -1) - torch.nn.functional.one_hot(targets, 333)
    losses = torch.empty(200)
    kernels.over_rows(kernels.cross_entropy, 200, logits, targets, 4.0, losses)
    assert torch.allclose(losses.double(), expected, rtol=2e-6, atol=2e-6)
    assert torch.allclose(logits.double(), slopes / 4, atol=1e-7)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.nan])
def test_what_is_not_a_number_shows_in_the_loss(value):
    logits = _random(1, 100)
    logits[0, 37] = value
    losses = torch.zeros(1)
    kernels.over_rows(kernels.cross_entropy, 1, logits, torch.tensor([5]), 1.0, losses)
    assert not math.isfinite(float(losses))


def test_several_threads_give_the_bits_of_one(monkeypatch):
    rows, found = 500, []
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        gate_up, by_inner, out = _random(rows, 64), _random(rows, 32, seed=1), torch.empty(rows, 32)
        kernels.over_rows(kernels.gate_forward, rows, gate_up, out)
        kernels.over_rows(kernels.gate_backward, rows, gate_up, by_inner)
        found.append((out, gate_up))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.equal(found[0][1], found[1][1])


def test_the_gate_holds_at_the_ends_of_the_floats():
    gate = torch.tensor([-1e30, -200.0, -88.0, -1.0, 0.0, 1.0, 88.0, 200.0, 1e30])
    out = torch.empty(1, 9)
    kernels.over_rows(kernels.gate_forward, 1, torch.cat([gate, torch.ones(9)])[None], out)
    expected = torch.nn.functional.silu(gate)
    assert torch.isfinite(out).all()
    assert torch.allclose(out[0, 1:], expected[1:], rtol=1e-6, atol=1e-6)


def test_each_query_sees_its_own_document_up_to_itself():
    scores, first = _random(6, 5), np.array([0, 0, 2])
    found = scores.clone()
    kernels.over_rows(kernels.attention_weights, 6, found, 0.5, first, 2)
    for row in range(6):
        low, high = first[row % 3], 2 + row % 3 + 1
        expected = torch.zeros(5)
        expected[low:high] = torch.softmax(0.5 * scores[row, low:high], -1)
        assert torch.allclose(found[row], expected, atol=1e-6)


def test_a_workspace_gives_its_memory_again_and_pieces_never_overlap():
    work = Workspace()
    for _ in range(2):
        work.begin()
        pieces = [work.take(7, 3), work.take(5)]
        mark = work.mark()
        pieces.append(work.take(40))
        work.release(mark)
        pieces[-1] = work.take(33)
        for place, piece in enumerate(pieces):
            piece.fill_(place)
        assert [float(piece.sum()) for piece in pieces] == [0.0, 5.0, 66.0]
    starts = [piece.data_ptr() for piece in pieces]
    work.begin()
    assert [work.take(7, 3).data_ptr(), work.take(5).data_ptr()] == starts[:2]


def test_a_workspace_grows_by_slabs_and_takes_no_memory_anew(monkeypatch):
    monkeypatch.setattr(kernels, "_SLAB", 64)
    work = Workspace()

    def pieces():
        work.begin()
        taken = [work.take(40), work.take(20), work.take(200), work.take(10)]
        for place, piece in enumerate(taken):
            piece.fill_(place)
        return taken

    first = pieces()
    assert [float(piece.sum()) for piece in first] == [0.0, 20.0, 400.0, 30.0]
    assert [piece.data_ptr() for piece in pieces()] == [piece.data_ptr() for piece in first]
