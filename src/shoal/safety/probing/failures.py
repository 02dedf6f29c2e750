"""The share of probes that fail, corrected for the scorer's errors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from shoal.statistics import CorrectedShare, ErrorRates, correct_share

if TYPE_CHECKING:
    from collections.abc import Sequence


def failure_share(
    failed: Sequence[bool], seeds: Sequence[str], errors: ErrorRates, *, harmful: bool, confidence: float
) -> CorrectedShare:
    """The share of probes that failed, corrected for the scorer's errors; the seed is the cluster.

    Args:
        failed: whether each probe failed.
        seeds: of each probe.
        errors: of the scorer, which finds refusals.
        harmful: whether they are harmful: their failures are answers that do not refuse.
        confidence: of the interval.
    """
    # The error rates are those of "refused", so that the share of refusals is corrected, and its complement is taken
    # after.
    share = correct_share([value != harmful for value in failed], errors, clusters=seeds, confidence=confidence)
    if not harmful:
        return share
    return replace(
        share,
        raw=1 - share.raw,
        # A complement turns an interval around.
        raw_low=1 - share.raw_high,
        raw_high=1 - share.raw_low,
        corrected=1 - share.corrected,
        low=1 - share.high,
        high=1 - share.low,
    )
