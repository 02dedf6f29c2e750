"""What was seen inside the arms stands in the report, with the way to each page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from run_folder import HOSTILE, write_run
from shoal.experiments import open_run
from shoal.experiments.explaining import look_inside
from shoal.models import load_model
from shoal.reports import write_report
from shoal.reports.sections import inside
from shoal.tasks import Example

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = Example(prompt="One day, a girl named", completion=" Lily saw a big dog", ends=True)


def section(folder: Path) -> str:
    html = write_report(folder).read_text(encoding="utf-8")
    return html.split('<section id="inside"')[1].split("</section>")[0]


def record(folder: Path, arm: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "inside" / f"{arm}.json").read_text(encoding="utf-8"))
    return found


def test_an_arm_that_was_looked_into_has_a_row_and_a_page(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seeds=1, largest=4)
    assert "No arm has been looked into" in section(folder)
    for arm, spec in (("random", "random:bundled:searches"), ("pretrained", "bundled:searches")):
        look_inside(load_model(spec), arm, EXAMPLE, folder)
    found = section(folder)
    assert found.index("all views of pretrained") < found.index("all views of random")
    assert (folder / "inside" / "pretrained.html").is_file()
    assert "href='inside/pretrained.html'" in found
    of_pretrained = record(folder, "pretrained")
    assert of_pretrained["heads"] == 16
    assert of_pretrained["roles"]
    assert record(folder, "random")["roles"] == []
    assert "0 of 16" in found
    assert of_pretrained["layers"][-1]["layer"] == "block 3"


def test_an_arm_that_cannot_be_looked_into_says_why_not(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run", seeds=1, largest=4)
    long = Example(prompt=HOSTILE, completion=" day" * 3000, ends=True)
    look_inside(load_model("bundled:searches"), "pretrained", long, folder)
    assert "reads at most 2048" in record(folder, "pretrained")["why_not"]
    found = str(inside(open_run(folder)))
    assert "not shown: the text takes" in found
    assert "<script>alert" not in found
