"""Names of runs lead to folders of runs and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from shoal.studio.page_error import PageError
from shoal.studio.run_names import find_run, name_of_part, refuse_links, run_address


@pytest.mark.parametrize("name", ["first", "group/second", "a~b/c", "é f/ü", "100%/x"])
def test_a_name_comes_back_from_its_address(name: str) -> None:
    from urllib.parse import unquote

    part = run_address(name).removeprefix("/runs/").removesuffix("/")
    assert "/" not in part
    assert name_of_part(unquote(part)) == name


@pytest.mark.parametrize(
    "name", ["..", "../runs", "group/../first", "/etc", "group//second", ".shoal-studio", "a/.b", "", "a\x00b", "a\\b"]
)
def test_a_name_that_leads_elsewhere_is_refused(runs: Path, name: str) -> None:
    with pytest.raises(PageError) as refused:
        find_run(runs, name)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "path",
    ["/runs/..~1..~1etc/", "/runs/%2e%2e~1x/", "/runs/first/inside/..%2f..%2fx.html", "/runs/first/../../etc/passwd"],
)
def test_an_address_that_leads_elsewhere_is_refused(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


def test_symbolic_links_are_not_followed(tmp_path: Path, runs: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "linked").symlink_to(runs / "first")
    with pytest.raises(PageError, match="symbolic link"):
        find_run(root, "linked")
    (root / "own").mkdir()
    (root / "own" / "experiment.toml").write_text("")
    (root / "own" / "verdict.json").symlink_to("/etc/passwd")
    with pytest.raises(PageError, match=r"symbolic link verdict\.json"):
        refuse_links(find_run(root, "own"))
