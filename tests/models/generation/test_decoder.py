"""The logits of a row are the same bits in any company, and those of reading all again up to rounding."""

from __future__ import annotations

import random

import pytest
import torch

from architectures import tiny_model
from every_architecture import small_model
from shoal.errors import DataError, TooLongError
from shoal.models import forget, same_numbers
from shoal.models.generation import make_decoder

VOCABULARY = 60


def rows_of(number, seed=0):
    """Rows of different lengths, with the tokens that follow each."""
    drawn = random.Random(seed)

    def ids(length):
        return [drawn.randrange(VOCABULARY) for _ in range(length)]

    return [(ids(drawn.randint(1, 20)), ids(6)) for _ in range(number)]


def alone(model, ids, following):
    """The logits of a row by itself: behind the prompt, and behind each token that follows."""
    decoder = make_decoder(model, capacity=1)
    reading = decoder.read(ids)
    while not reading.finished:
        reading.advance()
    found = [reading.logits(len(ids) - 1, len(ids))[0]]
    row = decoder.join(reading)
    return [*found, *(decoder.step({row: token})[row] for token in following)]


def in_company(model, rows, seed, capacity=4):
    """The same for many rows, which come whenever there is room and leave when they are finished."""
    decoder = make_decoder(model, capacity=capacity)
    waiting = list(range(len(rows)))
    random.Random(seed).shuffle(waiting)
    found, running = {}, {}
    while waiting or running:
        if waiting and len(running) < decoder.capacity:
            place = waiting.pop()
            reading = decoder.read(rows[place][0])
            while not reading.finished:
                reading.advance()
            found[place] = [reading.logits(len(rows[place][0]) - 1, len(rows[place][0]))[0]]
            running[decoder.join(reading)] = place
        logits = decoder.step({row: rows[place][1][len(found[place]) - 1] for row, place in running.items()})
        for row, place in list(running.items()):
            found[place].append(logits[row])
            if len(found[place]) == len(rows[place][1]) + 1:
                decoder.leave(row)
                del running[row]
    return [found[place] for place in range(len(rows))]


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeo", "Gemma2"])
def test_the_bits_of_a_row_do_not_depend_on_its_company(architecture):
    model = tiny_model(architecture, vocab_size=VOCABULARY)
    rows = rows_of(7)
    wanted = [alone(model, ids, following) for ids, following in rows]
    for capacity in (3, 20):
        for place, (found, own) in enumerate(zip(in_company(model, rows, capacity, capacity), wanted, strict=True)):
            assert all(map(torch.equal, found, own)), place


@pytest.mark.parametrize("architecture", ["Llama", "GPT2", "GPTNeo", "Gemma2", "Mamba"])
def test_the_logits_are_those_of_reading_all_again(architecture):
    model = tiny_model(architecture, vocab_size=VOCABULARY)
    (ids, following), *_ = rows_of(1, seed=3)
    with torch.inference_mode():
        logits_LV = model(torch.tensor([[*ids, *following]])).logits[0]
    for place, found in enumerate(alone(model, ids, following)):
        assert same_numbers(found, logits_LV[len(ids) - 1 + place])


LONG = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "original_max_position_embeddings": 16,
    "short_factor": [1.0, 1.1, 1.2, 1.3],
    "long_factor": [2.0, 4.0, 8.0, 16.0],
}
SWITCHING = {
    # Phi-3's long variants, and dynamic NTK scaling, whose frequencies hang on the longest that was read.
    "phi3": {"rope_parameters": LONG, "original_max_position_embeddings": 16, "sliding_window": None},
    "llama": {
        "rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
        "max_position_embeddings": 16,
    },
}


@pytest.mark.parametrize("architecture", SWITCHING)
def test_a_row_that_grows_over_a_switch_of_frequencies_is_read_again(architecture):
    model = small_model(architecture, **SWITCHING[architecture])
    rows = [
        ([3, 5, 7] * 4, [11, 13, 17, 19, 23, 29]),
        ([2] * 40, [31, 37, 41, 43, 47, 53]),
        ([8, 9], [1, 2, 3, 4, 5, 6]),
    ]
    company = in_company(model, rows, 1)
    for (ids, following), found in zip(rows, company, strict=True):
        assert all(map(torch.equal, found, alone(model, ids, following)))
        for place, logits_V in enumerate(found):
            forget(model)
            with torch.inference_mode():
                whole_LV = model(torch.tensor([[*ids, *following[:place]]])).logits[0]
            assert same_numbers(logits_V, whole_LV[-1])


def test_half_precision_keeps_its_bits_too():
    model = tiny_model("Llama", vocab_size=VOCABULARY).to(torch.bfloat16)
    rows = rows_of(6)
    wanted = [alone(model, ids, following) for ids, following in rows]
    for found, own in zip(in_company(model, rows, 1), wanted, strict=True):
        assert all(map(torch.equal, found, own))


def test_a_row_that_is_not_a_number_leaves_nothing_behind():
    model = tiny_model("Llama", vocab_size=VOCABULARY)
    with torch.no_grad():
        model.get_input_embeddings().weight[7] = torch.nan
    decoder = make_decoder(model, capacity=1)
    for ids, broken in (([7] * 9, True), ([1, 2, 3], False)):
        reading = decoder.read(ids)
        reading.advance()
        row = decoder.join(reading)
        assert bool(decoder.step({row: 5})[row].isnan().any()) == broken
        decoder.leave(row)


def test_rows_that_no_model_can_read_are_refused():
    decoder = make_decoder(tiny_model("Llama", vocab_size=VOCABULARY), capacity=1, context=32)
    decoder.check_row([1] * 30, 2)
    for ids in ([-1], [VOCABULARY], []):
        with pytest.raises(DataError, match=r"token id|no tokens"):
            decoder.check_row(ids, 1)
    with pytest.raises(TooLongError, match="the context is of 32"):
        decoder.check_row([1] * 30, 3)
