"""``shoal changes`` on files of any content: an answer, or one line and exit code 2."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from shoal.cli.main import main

CELL = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.dates().map(str),
    st.datetimes().map(str),
    st.text(max_size=6),
    st.sampled_from(["", "NA", "nan", "inf", '"', '""', "a,b", "1,5", "#", "\ufeff", "\x00", "2020-13-45", "1e999"]),
)


def table(delimiter: str):
    width = st.integers(1, 4)
    row = width.flatmap(lambda count: st.lists(CELL, min_size=count, max_size=count))
    return st.lists(row, max_size=30).map(lambda rows: "\n".join(delimiter.join(cells) for cells in rows).encode())


def regular(delimiter: str):
    columns = st.lists(
        st.sampled_from([st.floats().map(str), st.integers(0, 9).map(str), st.dates().map(str)]), max_size=3
    )
    rows = columns.flatmap(lambda kinds: st.lists(st.tuples(*kinds), max_size=60))
    return rows.map(lambda cells: "\n".join(delimiter.join(row) for row in cells).encode())


CONTENT = st.one_of(
    st.binary(max_size=400),
    *(kind(delimiter) for delimiter in ",;\t " for kind in (table, regular)),
    st.binary(max_size=200).map(lambda tail: b"PAR1" + tail),
    st.text(max_size=100).map(lambda text: b"[" + text.encode()),
    st.text(max_size=100).map(lambda text: b"{" + text.encode()),
)


def answered(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(["changes", str(file)])
            code = 0
        except SystemExit as ending:
            code = int(ending.code or 0)
    assert code in (0, 2)
    if code:
        assert out.getvalue() == ""
        assert err.getvalue().count("\n") == 1
    else:
        assert " steps of " in out.getvalue() or " step of " in out.getvalue()


def few(count: int):
    return settings(
        max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), derandomize=count < 1000
    )


@few(150)
@given(CONTENT)
def test_any_file_has_an_answer(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    answered(content, tmp_path_factory.getbasetemp() / "any.csv")


@pytest.mark.slow
@few(10_000)
@given(CONTENT)
def test_ten_thousand_files_have_an_answer(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    answered(content, tmp_path_factory.getbasetemp() / "any.csv")
