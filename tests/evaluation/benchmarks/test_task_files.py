"""Task files: what is read, what is refused, and in which words."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from shoal.errors import DataError, ShoalError, UnknownNameError, UsageError
from shoal.evaluation.benchmarks import PythonTaskError, TaskLibrary, parse_task, read_task_yaml
from shoal.evaluation.benchmarks.summary import summarize_groups

PLAIN = {"task": "t", "dataset_path": "json", "test_split": "test", "doc_to_text": "q", "doc_to_target": "a"}


def parsed(**keys):
    return parse_task(PLAIN | keys, "t.yaml")


def test_defaults_are_those_of_the_harness():
    task = parsed()
    assert task.output_type == "generate_until"
    assert task.generation == {"temperature": 0.0, "do_sample": False, "max_gen_toks": 256, "until": ["\n\n"]}
    assert [metric.name for metric in task.metrics] == ["exact_match"]
    assert (task.target_delimiter, task.fewshot_delimiter, task.repeats) == (" ", "\n\n", 1)
    assert task.fewshot.doc_to_text == "q"
    assert [chain.name for chain in task.filters] == ["none"]


def test_few_shot_settings_override_those_of_the_task():
    task = parsed(fewshot_config={"sampler": "first_n", "doc_to_text": "other", "split": "dev"}, target_delimiter="")
    assert (task.fewshot.sampler, task.fewshot.doc_to_text, task.fewshot.split) == ("first_n", "other", "dev")
    assert task.fewshot.target_delimiter == ""


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        ({"output_type": "multiple_choices"}, UnknownNameError, "did you mean 'multiple_choice'"),
        ({"metric_list": [{"metric": "acurracy"}]}, UnknownNameError, "unknown metric of the task t"),
        ({"metric_list": [{"metric": "acc", "aggregation": "meen"}]}, UnknownNameError, "did you mean 'mean'"),
        ({"metric_list": [{"metric": "exact_match", "ignore_cases": True}]}, UnknownNameError, "ignore_case"),
        ({"filter_list": [{"name": "x", "filter": [{"function": "regexx"}]}]}, UnknownNameError, "'regexx'"),
        (
            {"filter_list": [{"name": "x", "filter": [{"function": "regex", "regex_pattern": "("}]}]},
            UsageError,
            "the filter regex",
        ),
        ({"filter_list": [{"name": "x", "filter": [{"function": "regex", "patern": "a"}]}]}, UsageError, "patern"),
        ({"filter_list": "take_first"}, DataError, "filter_list"),
        ({"metric_list": "acc"}, DataError, "metric_list"),
        ({"filter_list": []}, DataError, "filter_list of .* at least one"),
        ({"metric_list": []}, DataError, "metric_list of .* at least one"),
        ({"metric_list": [{"metric": "exact_match", "regexes_to_ignore": ["("]}]}, UsageError, "no regular expression"),
        ({"metric_list": [{"metric": "exact_match", "regexes_to_ignore": 5}]}, UsageError, "must be a list of regular"),
        ({"fewshot_config": {"sampler": "best"}}, UnknownNameError, "unknown sampler"),
        ({"doc_to_image": "image"}, UsageError, "text alone"),
        ({"use_prompt": "promptsource:x"}, UsageError, "promptsource"),
        ({"doc_to_txt": "q"}, UnknownNameError, "did you mean 'doc_to_text'"),
        ({"num_fewshot": -1}, DataError, "num_fewshot"),
        ({"dataset_kwargs": ["x"]}, DataError, "must be a mapping"),
        ({"dataset_path": None}, DataError, "no dataset_path"),
        ({"test_split": ["a"]}, DataError, "test_split"),
    ],
)
def test_what_cannot_be_used_is_named(keys, error, message):
    with pytest.raises(error, match=message):
        parsed(**keys)


def test_of_two_entries_of_one_name_the_later_one_counts():
    """Values are known by these names, so that two figures would be those of the later one twice."""
    metrics = [{"metric": "exact_match"}, {"metric": "bleu"}, {"metric": "exact_match", "ignore_case": True}]
    filters = [
        {"name": "x", "filter": [{"function": "lowercase"}, {"function": "take_first"}]},
        {"name": "x", "filter": [{"function": "take_first"}]},
    ]
    task = parsed(metric_list=metrics, filter_list=filters)
    assert [(spec.name, spec.options) for spec in task.metrics] == [
        ("exact_match", {"ignore_case": True}),
        ("bleu", {}),
    ]
    assert [len(chain.filters) for chain in task.filters] == [1]


def test_a_file_includes_others_and_overrides_them(tmp_path):
    (tmp_path / "base.yaml").write_text("task: base\noutput_type: multiple_choice\ntask_list: [x]\nnum_fewshot: 3\n")
    (tmp_path / "more").write_text("include: base.yaml\nnum_fewshot: 4\n")
    (tmp_path / "mine.yaml").write_text("include: [more]\ntask: mine\n")
    keys = read_task_yaml(tmp_path / "mine.yaml")
    assert keys == {"task": "mine", "output_type": "multiple_choice", "num_fewshot": 4}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("include: bad.yaml\n", "includes itself"),
        ("include: [1]\n", "must name files"),
        ("include: gone.yaml\n", "cannot be read"),
        ("a: [\n", "no YAML"),
        ("- a\n", "no task file"),
        ("a: !!python/object/apply:os.system ['true']\n", "no YAML"),
    ],
)
def test_a_broken_file_is_refused_in_a_line(tmp_path, text, message):
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(DataError, match=message):
        read_task_yaml(file)


def test_python_functions_are_recognised_and_never_run(tmp_path):
    file = tmp_path / "python.yaml"
    file.write_text("task: python\ndataset_path: json\ntest_split: test\nprocess_docs: !function utils.process_docs\n")
    with pytest.raises(PythonTaskError, match=r"utils\.process_docs.*pip install lm-eval"):
        parse_task(read_task_yaml(file), file)


def test_names_stand_for_tasks_groups_tags_and_files(task_folder, tmp_path):
    (tmp_path / "tagged.yaml").write_text(
        (task_folder / "sums.yaml").read_text().replace("task: sums", "task: a\ntag: t")
    )
    (tmp_path / "group.yaml").write_text(
        "group: g\ntask:\n  - task: sums\n    num_fewshot: 2\n  - a\naggregate_metric_list: [{weight_by_size: false}]\n"
    )
    library = TaskLibrary([tmp_path, task_folder])
    assert set(library.select(["t"]).tasks) == {"a"}
    found = library.select(["g"])
    assert found.groups["g"].tasks == ("sums", "a")
    assert not found.groups["g"].weight_by_size
    assert not found.groups["g"].weighs_by_size("acc")
    assert [found.tasks[name].num_fewshot for name in ("sums", "a")] == [2, None]
    assert set(library.select([str(task_folder / "written.yaml")]).tasks) == {"written_sums"}


def test_a_group_that_contains_itself_is_refused(tmp_path):
    (tmp_path / "one.yaml").write_text("group: one\ntask: [two]\n")
    (tmp_path / "two.yaml").write_text("group: two\ntask: [one]\n")
    with pytest.raises(DataError, match="contains itself"):
        TaskLibrary([tmp_path]).select(["one"])


TASK = "{{task: {name}, dataset_path: json, test_split: test, doc_to_text: q, doc_to_target: a}}\n"


@pytest.fixture
def folders(tmp_path):
    """Two folders with a task of one name, and a group that gives another task two examples."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t.yaml").write_text(TASK.format(name="t"))
    (tmp_path / "one" / "u.yaml").write_text(TASK.format(name="u"))
    (tmp_path / "one" / "same.yaml").write_text("group: same\ntask: [t, u]\n")
    (tmp_path / "one" / "other.yaml").write_text("group: other\ntask: [u]\nnum_fewshot: 2\n")
    return tmp_path


def selected(folders, *names):
    paths = [str(folders / name) if name.endswith(".yaml") else name for name in names]
    return TaskLibrary([folders / "one"]).select(paths)


@pytest.mark.parametrize(
    "names", [("t", "same"), ("same", "u"), ("one/t.yaml", "t"), ("t", "one/t.yaml", "same"), ("other",)]
)
def test_a_task_may_be_selected_several_times_where_it_is_the_same(folders, names):
    found = selected(folders, *names)
    assert set(found.tasks) == {"u"} if names == ("other",) else {"t", "u"} >= set(found.tasks)
    assert len(found.tasks) == len({task.name for task in found.tasks.values()})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("one/t.yaml", "two/t.yaml"), r"the task t is selected twice, by .*one/t\.yaml and by .*two/t\.yaml"),
        (("two/t.yaml", "same"), r"the task t is selected twice, by .*two/t\.yaml and by .*one/t\.yaml"),
        (("u", "other"), "the task u is selected twice, with different settings; evaluate them one after the other"),
        (("same", "other"), "the task u is selected twice, with different settings"),
    ],
)
def test_two_tasks_of_one_name_are_not_taken_for_each_other(folders, names, message):
    with pytest.raises(UsageError, match=message):
        selected(folders, *names)


def test_the_figures_of_a_group_are_named_in_mappings(folders):
    (folders / "one" / "same.yaml").write_text("group: same\ntask: [t]\naggregate_metric_list: [acc]\n")
    with pytest.raises(DataError, match="aggregate_metric_list of the group same must be a list of mappings"):
        selected(folders, "same")


def test_every_task_of_shoal_parses():
    library = TaskLibrary()
    names = [name for name in library.names() if name not in ("babylm", "bbh")]
    selection = library.select(names)
    assert {"gsm8k", "medqa_4options", "blimp", "zorro", "strategyqa", "babylm_ewok"} <= set(selection.tasks)
    assert len([name for name in selection.tasks if name.startswith("bbh_")]) == 27
    for task in selection.tasks.values():
        assert task.split
    assert list(library.select(["medqa"]).tasks) == ["medqa_4options"]  # by its tag


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ShoalError, match="no folder"):
        TaskLibrary([tmp_path / "gone"])


def test_each_metric_of_a_group_has_its_own_weights(task_folder, tmp_path):
    (tmp_path / "group.yaml").write_text(
        "group: g\ntask: [sums]\naggregate_metric_list:\n"
        "  - {metric: acc, weight_by_size: false}\n  - {metric: acc_norm, weight_by_size: true}\n"
    )
    group = TaskLibrary([tmp_path, task_folder]).select(["g"]).groups["g"]
    tasks = {
        name: SimpleNamespace(
            task=name,
            items=items,
            metrics=tuple(SimpleNamespace(name=metric, filter="none", value=value) for metric in ("acc", "acc_norm")),
        )
        for name, items, value in (("one", 1, 0.0), ("three", 3, 1.0))
    }
    plain, normed = summarize_groups([replace(group, tasks=("one", "three"))], tasks)
    assert (plain.metric, plain.value, plain.weight_by_size) == ("acc", 0.5, False)
    assert (normed.metric, normed.value, normed.weight_by_size) == ("acc_norm", 0.75, True)
