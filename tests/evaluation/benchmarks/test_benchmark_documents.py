"""Documents from files of every kind, archives, local copies of hub sets, and BabyLM's evaluation folder."""

from __future__ import annotations

import json
import zipfile

import pytest

from shoal.errors import DataError, MissingExtraError, UnavailableError
from shoal.evaluation.benchmarks import DataFolders, TaskLibrary, build_items, parse_task
from shoal.evaluation.benchmarks.documents import load_split

ROWS = [{"q": "one", "a": 1}, {"q": "two", "b": [2]}]


def task_of(path="json", **keys):
    plain = {"task": "t", "test_split": "test", "doc_to_text": "q", "doc_to_target": "q"}
    return parse_task(plain | {"dataset_path": path} | keys, "t.yaml")


def files(name, **more):
    return {"data_files": {"test": name}, **more}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "field.json", "zip://in.json::rows.zip"])
def test_json_in_its_forms_has_every_column_in_every_row(tmp_path, name):
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "rows.jsonl").write_text(lines)
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    (tmp_path / "field.json").write_text(json.dumps({"examples": ROWS}))
    with zipfile.ZipFile(tmp_path / "rows.zip", "w") as archive:
        archive.writestr("in.json", lines)
    more = {"field": "examples"} if name == "field.json" else {}
    found = load_split(task_of(dataset_kwargs=files(name, **more)), "test", DataFolders(tmp_path))
    assert found == [{"q": "one", "a": 1, "b": None}, {"q": "two", "a": None, "b": [2]}]


def test_csv_parquet_and_text(tmp_path):
    import pandas

    frame = pandas.DataFrame({"q": ["one", "two"], "n": [1, 2]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    # As `datasets` cuts lines: at line ends alone.
    (tmp_path / "rows.txt").write_text("one\u2028still\x0cone\r\n\ntwo\n", encoding="utf-8", newline="")
    folders = DataFolders(tmp_path)
    for kind in ("csv", "parquet"):
        found = load_split(task_of(kind, dataset_kwargs=files(f"rows.{kind}")), "test", folders)
        assert found == [{"q": "one", "n": 1}, {"q": "two", "n": 2}]
    found = load_split(task_of("text", dataset_kwargs=files("rows.txt")), "test", folders)
    assert found == [{"text": "one\u2028still\x0cone"}, {"text": ""}, {"text": "two"}]


def test_numbers_of_csv_keep_their_digits(tmp_path):
    (tmp_path / "rows.csv").write_text("q,x,n,b,m\none,1.23456789e-12,9007199254740993,True,\ntwo,0.1,2,False,1\n")
    found = load_split(task_of("csv", dataset_kwargs=files("rows.csv")), "test", DataFolders(tmp_path))
    assert found == [
        {"q": "one", "x": 1.23456789e-12, "n": 9007199254740993, "b": True, "m": None},
        {"q": "two", "x": 0.1, "n": 2, "b": False, "m": 1.0},
    ]
    assert [type(value) for value in found[1].values()] == [str, float, int, bool, float]


@pytest.mark.parametrize("source", ["file", "folder"])
def test_minimal_pairs_that_were_edited_are_read_again(tmp_path, source):
    path = tmp_path / "pairs" / "agreement.txt"
    path.parent.mkdir()
    task = task_of("shoal/minimal-pairs", dataset_kwargs=files(str(path if source == "file" else path.parent)))
    for noun in ("cat", "dog"):
        path.write_text(f"the {noun} run .\nthe {noun} runs .\n")
        found = load_split(task, "test", DataFolders(tmp_path))
        assert found == [{"good": f"The {noun} runs.", "bad": f"The {noun} run.", "paradigm": "agreement"}]


@pytest.mark.parametrize("place", ["org/name/main/test.jsonl", "name/main/test.jsonl", "org/name/test.jsonl"])
def test_a_hub_set_is_read_from_its_local_copy(tmp_path, place):
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text('{"q": "one"}\n')
    assert load_split(task_of("org/name", dataset_name="main"), "test", DataFolders(tmp_path)) == [{"q": "one"}]


def test_a_hub_set_that_cannot_be_had_says_where_a_copy_belongs(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises((UnavailableError, MissingExtraError), match=r"org/no_such_set/test\.jsonl"):
        load_split(task_of("org/no_such_set"), "test", DataFolders(tmp_path))


@pytest.mark.parametrize(
    ("contents", "message"),
    [("{broken\n", "broken JSON"), ("[1, 2]", "no list of JSON objects"), ("", "holds no documents")],
)
def test_broken_data_are_named(tmp_path, contents, message):
    (tmp_path / "rows.jsonl").write_text(contents)
    with pytest.raises(DataError, match=message):
        load_split(task_of(dataset_kwargs=files("rows.jsonl")), "test", DataFolders(tmp_path))


BABYLM = {
    "blimp_filtered/adjunct_island.jsonl": {
        "sentence_good": "Who ran?", "sentence_bad": "Ran who?", "field": "syntax", "UID": "adjunct_island",
        "linguistics_term": "island",
    },
    "supplement_filtered/hypernym.jsonl": {"sentence_good": "A dog is a pet.", "sentence_bad": "A pet is a dog."},
    "ewok_filtered/physics.jsonl": {
        "Context1": "It fell.", "Context2": "It rose.", "Target1": "It is low.", "Target2": "It is high.",
        "Domain": "physics", "ContextType": "direct", "ContextDiff": "x", "TargetDiff": "y",
    },
    "entity_tracking/regular.jsonl": {"input_prefix": "Box 1 has", "options": [" a ball", " a cat"], "numops": 2},
    "comps/comps_base.jsonl": {
        "prefix_acceptable": "A bird", "prefix_unacceptable": "A stone", "property_phrase": "can fly.",
    },
    "wug_adj_nominalization/wug.jsonl": {"sentences": "wugable\twugity", "ratio": 0.3},
    "wug_past_tense/wug.jsonl": {"sentences": "wugged\twogged", "ratio": 0.8},
}  # fmt: skip


@pytest.fixture
def babylm_folder(tmp_path):
    for name, row in BABYLM.items():
        place = tmp_path / "evaluation_data" / "full_eval" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(row) + "\n")
    return tmp_path


def test_babylms_folder_gives_a_task_for_each_of_its_folders(babylm_folder):
    tasks = TaskLibrary().select(["babylm"]).tasks
    items = {name: build_items(task, DataFolders(babylm_folder)).items[0] for name, task in tasks.items()}
    assert {name: item.requests for name, item in items.items()} == {
        "babylm_blimp": (("", "Who ran?"), ("", "Ran who?")),
        "babylm_supplement": (("", "A dog is a pet."), ("", "A pet is a dog.")),
        "babylm_ewok": (("It fell.", " It is low."), ("It fell.", " It is high.")),
        "babylm_entity_tracking": (("Box 1 has", " a ball"), ("Box 1 has", " a cat")),
        "babylm_comps": (("A bird ", "can fly."), ("A stone ", "can fly.")),
        "babylm_wug_adj": (("", "wugable"), ("", "wugity")),
        "babylm_wug_past": (("", "wugged"), ("", "wogged")),
    }
    assert items["babylm_blimp"].cluster == "adjunct_island"
    assert items["babylm_entity_tracking"].cluster == "regular_2_ops"
    assert [metric.name for metric in tasks["babylm_wug_adj"].metrics] == ["correlation"]


def test_a_folder_that_is_not_babylms_is_named(tmp_path):
    (tmp_path / "evaluation_data").mkdir()
    task = TaskLibrary().select(["babylm_ewok"]).tasks["babylm_ewok"]
    with pytest.raises(DataError, match="no folder ewok_filtered or ewok_fast"):
        build_items(task, DataFolders(tmp_path))
