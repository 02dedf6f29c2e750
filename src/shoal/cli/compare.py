"""``shoal compare``: two runs of an experiment, item by item and seed by seed."""

from __future__ import annotations

from pathlib import Path

from shoal.cli.options import Json


def compare(
    first: Path,
    second: Path,
    /,
    *,
    first_arm: str | None = None,
    second_arm: str | None = None,
    as_json: Json = False,
) -> None:
    """Compare an arm of one run with an arm of another, on the same held-out items and seeds.

    Parameters
    ----------
    first
        Folder of a finished run.
    second
        Folder of another run, or of the same run with another arm.
    first_arm
        Arm of the first run. Default: its treatment.
    second_arm
        Arm of the second run. Default: its treatment.
    """
    from shoal.cli.console import print_json
    from shoal.experiments import compare_runs

    found = compare_runs(first, second, first_arm=first_arm, second_arm=second_arm)
    if as_json:
        print_json(found.to_dict())
        return
    print(f"{found.first} against {found.second}: {found.seeds} seeds, {found.items} held-out items")
    print(f"\n{'measure':16}{'first':>9}{'second':>9}{'difference':>12}  {found.confidence:.0%} interval      p")
    for row in found.differences:
        print(
            f"{row.measure:16}{row.first:9.3f}{row.second:9.3f}{row.estimate:+12.3f}"
            f"  [{row.low:+.3f}, {row.high:+.3f}]  {row.p_value:.4f}"
        )
    print("\nexact match, seed by seed (McNemar's exact test)")
    for seed, test in found.mcnemar.items():
        print(
            f"seed {seed}: {test['only_first']} right in the first alone, {test['only_second']} in the second alone, "
            f"p {test['p_value']:.4f}"
        )
