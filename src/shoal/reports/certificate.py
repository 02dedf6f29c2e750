"""The certificate: what the evaluator proved before it was used, failures first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from shoal.evaluation.certification import values_text
from shoal.figures import table
from shoal.reports.html_format import badge

if TYPE_CHECKING:
    from shoal.reports.folder import Record

_LEAD = Markup("<p class=lead>{} {}</p><p>{}</p>")


def certificate(record: Record | None) -> Markup | None:
    """The outcome of every check; None where there is no certificate yet."""
    if record is None:
        return None
    checks = sorted(record["checks"], key=lambda check: check["passed"])
    failed = sum(not check["passed"] for check in checks)
    counts = f"{len(checks) - failed} of {len(checks)} checks passed."
    about = (
        f"{record['evaluator']} scored dummy models of known accuracy "
        f"({'the part that every run begins with' if record['fast'] else 'all checks'}, seed {record['seed']})."
    )
    rows = [
        [
            check["name"],
            badge(passed=check["passed"]),
            check["proves"],
            values_text(check["expected"]),
            values_text(check["got"]),
        ]
        for check in checks
    ]
    head = ["Dummy", "Outcome", "What passing proves", "Expected", "Got"]
    listed = table(head, rows, caption="Every check, failures first")
    if not failed:
        listed = Markup("<details><summary>Every check and what it proved</summary>{}</details>").format(listed)
    return _LEAD.format(badge(passed=record["passed"]), counts, about) + listed
