"""A spike is traced back to the documents that made it, by their own losses."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable

import pytest
import torch
from small_models import byte_tokenizer, gpt2, llama, own_loss, random_batch

from shoal.errors import TrainingError
from shoal.reports.events_section import events_section
from shoal.training import Batch, CorpusShare, TrainSettings, pretrain_documents, tokens_in_memory
from shoal.training.document_losses import document_losses
from shoal.training.watch import Watch, event_from


@pytest.mark.parametrize("make", [llama, gpt2])
def test_the_losses_of_documents_are_those_of_the_model_and_it_stays_as_it_was(make) -> None:
    model, batch = make().train(), random_batch([9, 40, 3, 40, 17])
    with torch.no_grad():
        expected = [float(own_loss(model.eval(), Batch((one,), "one"))) for one in batch.documents]
    model.train()
    for micro_tokens in (0, 45):
        assert document_losses(model, batch, "float32", micro_tokens) == pytest.approx(expected, rel=1e-5)
    assert model.training
    assert all(weight.grad is None for weight in model.parameters())


def sentences(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    words = ("the red fox", "a small cat", "the old dog", "ran home", "ate bread", "slept well", "saw rain")
    return [" ".join(draw.choices(words, k=4)) for _ in range(count)]


@pytest.fixture(scope="module")
def learned() -> Callable[[list[str], Watch | None], torch.Tensor]:
    """Train further on texts, from a model that knows the sentences already; gives its weights."""
    tokenizer, model = byte_tokenizer(), llama()
    settings = TrainSettings(
        learning_rate=5e-3, epochs=1, batch_tokens=160, precision="float32", schedule="constant", gradient_clip=1.0
    )

    def train_on(texts: list[str], watch: Watch | None) -> torch.Tensor:
        file = tokens_in_memory([tokenizer(text)["input_ids"] for text in texts], vocabulary=260)
        share = CorpusShare(file=file, name="tales")
        pretrain_documents(model, [share], settings, order="given", watch=watch)
        return torch.cat([weight.detach().reshape(-1) for weight in model.parameters()])

    train_on(sentences(700, 0), None)
    start = {name: weight.clone() for name, weight in model.state_dict().items()}

    def again(texts: list[str], watch: Watch | None) -> torch.Tensor:
        model.load_state_dict(start)
        return train_on(texts, watch)

    return again


def test_a_corrupt_document_that_is_trained_on_is_named_with_what_repeats_in_it(learned) -> None:
    watch, texts = Watch(decode=byte_tokenizer().decode), sentences(420, 1)
    texts[390] = "%%ZQ##" * 12
    weights = learned(texts, watch)
    spike = next(event for event in watch.events if event.kind == "spike" and event.stream == "loss")
    assert spike.batch is not None
    first, second, _ = spike.batch.documents
    assert (first.source, first.number) == ("tales", 390)
    assert first.text.startswith("%%ZQ##%%ZQ##")
    assert first.repeated > 0.9
    assert first.loss is not None
    assert second.loss is not None
    assert first.loss > 2 * second.loss
    assert any("ZQ##%%" in one.text and one.count >= 3 and one.documents == 1 for one in spike.batch.repeats)
    assert f"tales 390 (loss {first.loss:.4g}, 72 tokens" in str(spike)
    row = json.loads(json.dumps(spike.to_dict()))
    assert event_from(row) == spike
    page = str(events_section([row]).html)
    assert "tales 390" in page
    assert "%%ZQ##" in page
    # The watch measures between the gradient and the update, and changes neither.
    assert torch.equal(learned(texts, None), weights)


def test_the_documents_of_a_loss_that_is_not_a_number_are_named_before_the_training_stops() -> None:
    # Tied embeddings are the output layer too: one bad row would spoil every document.
    tokenizer, broken, watch = byte_tokenizer(), llama(tied=False), Watch()
    with torch.no_grad():
        broken.model.embed_tokens.weight[tokenizer.convert_tokens_to_ids("~")] = math.nan
    file = tokens_in_memory([tokenizer(text)["input_ids"] for text in ("good", "b~d", "fine")], vocabulary=260)
    settings = TrainSettings(batch_tokens=100, precision="float32")
    with pytest.raises(TrainingError, match="the loss of step 1 is nan"):
        pretrain_documents(broken, [CorpusShare(file=file)], settings, order="given", watch=watch)
    (event, *_) = watch.events
    assert event.batch is not None
    first = event.batch.documents[0]
    assert (event.kind, first.number) == ("divergence", 1)
    assert first.loss is not None
    assert math.isnan(first.loss)
    row = json.loads(json.dumps(event.to_dict(), allow_nan=False))
    assert row["batch"]["documents"][0]["loss"] is None
    assert str(event_from(row)) == str(event)
