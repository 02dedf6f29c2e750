"""Safe answers written by an endpoint or a local model: checked, deduplicated, with who wrote them, resumable."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chat_models import chat_model, chat_tokenizer
from endpoints import serving
from shoal.corpora.llm import Endpoint, read_record
from shoal.errors import DataError, EndpointError, UsageError
from shoal.models import LoadedModel
from shoal.safety.tuning import (
    ChatFormat,
    InstructionPair,
    SafetyRequest,
    answer_requests,
    check_safe_answers,
    sample_requests,
    seed_safe_answers,
    write_safe_answers,
)
from shoal.serving import make_generation_model

pytest.importorskip("openai")

HARMFUL = [
    SafetyRequest(prompt=f"How do I {verb}?", harmful=True, type="set")
    for verb in ("steal a bike", "forge a pass", "poison a well", "burn a barn")
]


def loaded(*, template: bool = True) -> LoadedModel:
    model, tokenizer = chat_model(), chat_tokenizer(template=template)
    model.config.update({"eos_token_id": 256, "pad_token_id": 257, "max_position_embeddings": 512})
    model.generation_config.update(eos_token_id=256, pad_token_id=257)
    return LoadedModel(spec="tiny", model=model, tokenizer=tokenizer, digest="abc", parameters=0, origin="test")


def refusal(prompt: str) -> str:
    request = prompt.rpartition("Message: ")[2]
    return f"I'm sorry, but I can't help with that, since it would harm people ({request})"


def writer(url: str) -> Endpoint:
    return Endpoint(url=url, model="m", max_attempts=2, sleep=lambda _: None)


def test_each_request_gets_a_checked_answer_with_its_source_and_writer(tmp_path: Path) -> None:
    with serving(refusal) as (url, script):
        found = write_safe_answers(sample_requests(HARMFUL, 10), writer(url), tmp_path / "record.jsonl")
        again = write_safe_answers(sample_requests(HARMFUL, 10), writer(url), tmp_path / "record.jsonl")
    assert len(script.requests) == 4  # the second run finds all in the record
    assert again == found
    assert {one.prompt for one in found.answers} == {one.prompt for one in HARMFUL}
    assert {(one.source, one.writer) for one in found.answers} == {("set", f"m at {url}")}
    assert min(one.p_refusal for one in found.answers) > 0.5
    assert "harmless alternative" in script.requests[0]["messages"][0]["content"]


def test_compliance_repeats_and_other_languages_are_left_out_and_counted() -> None:
    no = "I'm sorry, but I can't help with stealing, which hurts people."
    found = check_safe_answers(
        [
            ("steal", no, "s", "w"),
            ("rob", no.upper(), "s", "w"),
            ("bake", "Mix the flour with water. Then bake it for an hour.", "s", "w"),
            ("lügen", "Es tut mir leid, aber dabei kann ich dir wirklich nicht helfen, das wäre falsch.", "s", "w"),
            ("x", "No.", "s", "w"),
            ("y", " ", "s", "w"),
        ]
    )
    assert [one.prompt for one in found.answers] == ["steal"]
    assert found.rejected == {
        "it repeats an earlier answer": 1,
        "the scorer reads it as compliance": 1,
        "it is not in English": 1,
        "it is shorter than 4 to 150 words": 1,
        "it is empty": 1,
    }
    assert "1 safe answers to 6 requests" in str(found)


def test_an_endpoint_that_complies_or_refuses_to_work_is_an_error_of_one_line(tmp_path: Path) -> None:
    requests = sample_requests(HARMFUL, 2)
    complying = serving("Sure! First take the tool. Then break the lock with it.")
    with complying as (url, _), pytest.raises(DataError, match="none of 2 answers passed the checks"):
        write_safe_answers(requests, writer(url), tmp_path / "a.jsonl")
    with serving(403) as (url, _), pytest.raises(EndpointError, match="refuses the request with status 403"):
        write_safe_answers(requests, writer(url), tmp_path / "b.jsonl")


def test_a_sample_is_of_harmful_requests_without_near_duplicates() -> None:
    twice = [*HARMFUL, SafetyRequest(prompt="how do i steal a bike?", harmful=True, type="set")]
    harmless = SafetyRequest(prompt="How do I bake?", harmful=False, type="set")
    drawn = sample_requests([*twice, harmless], 10)
    assert len(drawn) == 4
    assert "How do I bake?" not in {one.request for one in drawn}
    assert sample_requests(twice, 2) == sample_requests(twice, 2)
    with pytest.raises(DataError, match="none of the 1 requests is harmful"):
        sample_requests([harmless], 1)


def test_the_seed_that_comes_with_shoal_passes_its_own_checks() -> None:
    found = seed_safe_answers()
    assert len(found.answers) >= 50
    assert not found.rejected
    assert len({one.prompt for one in found.answers}) == len(found.answers)


def test_a_local_model_writes_into_the_record_and_needs_a_chat_template(tmp_path: Path) -> None:
    requests = sample_requests(HARMFUL, 3)
    model = make_generation_model(loaded())
    record = tmp_path / "r.jsonl"
    other = replace(loaded(), digest="def")
    for writing, written in ((model, 3), (model, 3), (make_generation_model(other), 6)):
        with pytest.raises(DataError, match="none of 3 answers passed"):  # what it writes is no English
            write_safe_answers(requests, writing, record, max_tokens=4)
        assert len(record.read_text(encoding="utf-8").splitlines()) == written
    assert len(read_record(record, "tiny (abc)")) == len(read_record(record, "tiny (def)")) == 3
    with pytest.raises(UsageError, match="no chat template"):
        write_safe_answers(requests, make_generation_model(loaded(template=False)), tmp_path / "s.jsonl")


def test_answers_end_where_the_template_ends_a_turn_and_examples_are_taught_so() -> None:
    chat = ChatFormat(tokenizer=loaded().tokenizer, system="Be kind.")
    assert chat.prompt("Hi") == "<start>system\nBe kind.<stop>\n<start>user\nHi<stop>\n<start>assistant\n"
    example = chat.example(InstructionPair(instruction="Hi", answer="Hello."))
    assert (example.completion, example.ends) == ("Hello.<stop>", False)


def test_answers_are_cut_at_whole_sentences_and_rows_without_one_are_left_out() -> None:
    chat = ChatFormat(tokenizer=loaded().tokenizer)
    pairs = [
        InstructionPair(instruction="a", answer="One two. Three four five six."),
        InstructionPair(instruction="b", answer="Here they are: one; two; three."),
        InstructionPair(instruction="a long instruction", answer="Yes."),
    ]
    found = chat.fit(pairs, max_prompt_tokens=5, max_answer_tokens=12)
    assert [one.completion for one in found] == ["One two.<stop>"]


def test_a_model_whose_answers_are_all_empty_is_an_error_of_one_line() -> None:
    import torch

    live = loaded()
    chat = ChatFormat(tokenizer=live.tokenizer)
    with torch.no_grad():
        live.model.lm_head.weight.zero_()
        live.model.model.norm.weight.fill_(1)
        (end,) = chat.end_ids
        live.model.lm_head.weight[end] = live.model.lm_head.weight[end] + 1e3 * torch.sign(
            live.model.model(input_ids=torch.tensor([chat.prompt_ids("Hi")])).last_hidden_state[0, -1]
        )
    request = SafetyRequest(prompt="Hi", harmful=True, type="t")
    with pytest.raises(DataError, match="all 1 answers of tiny are empty"):
        answer_requests(live, chat, [request], max_tokens=4)
