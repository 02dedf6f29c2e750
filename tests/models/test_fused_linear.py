"""Fused or one by one, the products are those of each matrix."""

from __future__ import annotations

import pytest
import torch

from shoal.models.fast.fused_linear import FusedLinear


@pytest.mark.parametrize("columns", [8, 1500])
def test_a_fused_linear_multiplies_by_each_matrix(columns):
    chance = torch.Generator().manual_seed(0)
    matrices = [torch.randn(rows, columns, generator=chance) for rows in (300, 100, 100)]
    x = torch.randn(2, 5, columns, generator=chance)

    found = FusedLinear(*matrices)(x)

    torch.testing.assert_close(found, x @ torch.cat(matrices).T, rtol=1e-4, atol=1e-3)


def test_large_matrices_are_not_copied():
    matrices = [torch.zeros(600, 600), torch.zeros(600, 600)]

    fused = FusedLinear(*matrices)

    assert [part.data_ptr() for part in fused._matrices] == [part.data_ptr() for part in matrices]
