"""Files for `shoal overfit`: what a row may change, and comparisons that could not be answered, refused in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shoal.errors import ExperimentFileError
from shoal.experiments.overfitting import OverfitPlan, load_overfit
from tiny_recipes import tiny_recipe

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = tiny_recipe(stories=20, tokens=400, batch_tokens=200)
TWO_ROWS = '[methods]\na = { "training.dropout" = 0.1 }\nb = { "training.dropout" = 0.2 }\n'


def loaded(folder: Path, text: str = "", recipe: str = RECIPE, **values: Any) -> OverfitPlan:
    (folder / "r.toml").write_text(recipe)
    (folder / "o.toml").write_text(f'recipe = "r.toml"\nseeds = 2\nmembers = 2\n{text}')
    return load_overfit(folder / "o.toml", values={key.replace("__", "."): value for key, value in values.items()})


def test_changes_in_tables_are_those_by_dotted_keys(tmp_path: Path) -> None:
    dotted = loaded(tmp_path, '[methods]\na = { "training.dropout" = 0.1, "model.width" = 4 }\n')
    nested = loaded(tmp_path, "[methods.a]\ntraining.dropout = 0.1\n[methods.a.model]\nwidth = 4\n")
    assert nested == dotted
    # All but what is changed is the recipe's own: a table that took the place of another would lose it.
    changed = nested.recipe.with_values(nested.values_of("a"))
    assert changed.training == nested.recipe.training.model_copy(update={"dropout": 0.1})
    sized = loaded(tmp_path, "[growth]\nsizes = [{ model.width = 4 }, { model.width = 6 }, { model.width = 8 }]\n")
    assert [dict(size) for size in sized.overfit.growth.sizes] == [{"model.width": width} for width in (4, 6, 8)]


def test_every_table_of_a_comparison_is_changed_by_dotted_keys(tmp_path: Path) -> None:
    plan = loaded(
        tmp_path,
        "[growth]\nmembers = 3\n[methods]\na = { training.dropout = 0.1 }\n",
        overfit__seeds=4,
        overfit__growth__members=5,
        overfit__methods__a__training__dropout=0.3,
        training__tokens=500,
    )
    assert (plan.overfit.seeds, plan.overfit.growth.members) == (4, 5)
    assert plan.values_of("a") == {"training.dropout": 0.3}
    assert plan.recipe.training.tokens == 500


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ('"training.tokens" = 100', "a changes training.tokens, which all rows have alike"),
        ('"training.precision" = "auto"', "a has training.precision = 'auto', which could be another in each training"),
        ("seed = 3", "a changes seed, so that its loss could not be compared"),
        ('name = "x"', "a changes name, so"),
        ('device = "cpu"', "a changes device, so"),
        ("stages = [{ tokens = 5, shares = { tales = 1 } }]", "a changes stages, so"),
        ("corpus = []", "a changes corpus, so"),
        ('"corpus.tales.held_out" = 0.1', "a changes corpus.tales.held_out, so"),
        ("evaluation = { documents = 3 }", "a changes evaluation.documents, so"),
        ("tokenizer.vocabulary = 400", "a changes tokenizer.vocabulary, so"),
        ("checkpoints.every = 1", "a changes checkpoints.every, so"),
        ('"training.droput" = 0.1', "unknown key 'training.droput'; did you mean 'dropout'"),
        ('"training.dropout" = nan', "training.dropout = nan"),
        ('"model.width" = 0', "model.width = 0: input should be greater than or equal to 1"),
    ],
)
def test_a_row_that_could_not_be_compared_is_refused(tmp_path: Path, changes: str, fault: str) -> None:
    with pytest.raises(ExperimentFileError, match=r"o\.toml: a") as raised:
        loaded(tmp_path, f"[methods]\na = {{ {changes} }}\n")
    assert fault in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_row_may_read_a_corpus_more_often(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[methods]\na = { "corpus.tales.passes" = 2.0 }\n').values_of("a")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("max_weight = inf\n", "max_weight = inf: input should be less than inf"),
        ("confidence = nan\n", "confidence = nan"),
        ("members = 1\n", "Cannot overwrite a value"),
        (
            TWO_ROWS + '[ensembles.s]\nkind = "stacking"\nrows = ["baseline", "a", "b"]\n',
            "ensembles.s.rows: of 3 rows 2 members take 2 alone; raise members, or name fewer",
        ),
        (
            '[ensembles."s!"]\nkind = "seeds"\n[ensembles.S]\nkind = "bagging"\n',
            "the ensembles 's!' and 'S' would have one folder",
        ),
        (
            '[growth]\nmembers = 3\n[methods]\n"members of baseline" = { "training.dropout" = 0.1 }\n',
            "a row and an asymptote of growth are called 'members of baseline'; give the row another name",
        ),
        (
            '[axes.drop]\nkey = "training.dropout"\nvalues = [0.1, 0.1]\n',
            "two rows are called 'drop 0.1'",
        ),
        ('[axes.drop]\nkey = "training.dropout"\nvalues = [0.1]\n', "axes.drop.values"),
        ('[axes.tokens]\nkey = "training.tokens"\nvalues = [100, 200]\n', "tokens 100 changes training.tokens"),
        (
            "[growth]\nsizes = [{ model.width = 4 }, { model.width = 8 }, { model.width = 4 }]\n",
            "growth.sizes: {'model.width': 4} stands there twice",
        ),
        ("[growth]\nsizes = [{ model.width = 4 }, { model.width = 8 }]\n", "2 sizes cannot show an asymptote"),
        ('[growth]\nmembers = 3\nrows = ["bseline"]\n', "growth.rows: there is no 'bseline'; did you mean 'baseline'?"),
        ('[ensembles.x]\nkind = "sedes"\n', "ensembles.x.kind = 'sedes': input should be 'seeds', 'bagging'"),
        ('[distilled.x]\nteacher = "deep"\n', "distilled.x.teacher: there is no 'deep'; there are none"),
        (
            '[[claims]]\nclaim = "c"\nbetter = "baseline"\nthan = "sizes of baseline"\nsmallest_effect = 0.1\n',
            "claims.than: there is no 'sizes of baseline'; did you mean 'baseline'?",
        ),
        ('[values]\nseed = 7\n', "the seed of the recipe is that of each training, from 0 on"),
        ('[values]\ntraining = { tokens = 0 }\n', "training.tokens = 0"),
        ('values = 3\n', "values = 3: give a table, as in [values]"),
    ],
)  # fmt: skip
def test_a_comparison_that_could_not_be_answered_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ExperimentFileError) as raised:
        loaded(tmp_path, text)
    assert fault.lower() in str(raised.value).lower()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("recipe", "fault"),
    [
        (RECIPE.replace("tokens = 400\n", ""), "the recipe does not state training.tokens"),
        (
            RECIPE + "[[stages]]\ntokens = 200\nshares = { tales = 1.0 }\n",
            "the recipe has stages, and the rows read their corpora in passes",
        ),
        (RECIPE.replace("held_out = 0.5", "held_out = 0.0"), "a corpus of the recipe holds nothing out"),
    ],
)
def test_a_recipe_that_a_comparison_cannot_begin_from_is_refused(tmp_path: Path, recipe: str, fault: str) -> None:
    with pytest.raises(ExperimentFileError, match=r"o\.toml: ") as raised:
        loaded(tmp_path, recipe=recipe)
    assert fault in str(raised.value)


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("seed", "the seed of the recipe is that of each training"),
        ("overfit.name.first", "name is no table, so 'name.first' cannot be set"),
        ("overfit.growth.memebrs", "unknown key 'growth.memebrs'; did you mean 'members'?"),
        ("overfit.", "unknown key ''"),
    ],
)
def test_a_change_that_no_comparison_takes_is_refused(tmp_path: Path, key: str, fault: str) -> None:
    with pytest.raises(ExperimentFileError) as raised:
        loaded(tmp_path, **{key.replace(".", "__"): 3})
    assert fault in str(raised.value)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    plain = loaded(tmp_path)
    for name in ("r.toml", "o.toml"):
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + (tmp_path / name).read_bytes().replace(b"\n", b"\r\n"))
    assert load_overfit(tmp_path / "o.toml") == plain


def test_values_of_an_axis_that_differ_little_are_two_rows(tmp_path: Path) -> None:
    rates = '[axes.rate]\nkey = "training.learning_rate"\nvalues = [0.00123456, 0.001234561, 0.5]\n'
    plan = loaded(tmp_path, rates)
    rows = ("rate 0.00123456", "rate 0.001234561", "rate 0.5")
    assert [plan.values_of(row)["training.learning_rate"] for row in rows] == [0.00123456, 0.001234561, 0.5]
