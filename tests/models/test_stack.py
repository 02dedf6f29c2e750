"""Joined or one by one, the products of a stack are those of its matrices."""

from __future__ import annotations

import pytest
import torch

from shoal.models.fast.stack import Stack


@pytest.mark.parametrize("columns", [8, 1500])
def test_a_stack_multiplies_by_each_matrix(columns):
    chance = torch.Generator().manual_seed(0)
    matrices = [torch.randn(rows, columns, generator=chance) for rows in (300, 100, 100)]
    x = torch.randn(2, 5, columns, generator=chance)

    found = Stack(*matrices)(x)

    torch.testing.assert_close(found, x @ torch.cat(matrices).T, rtol=1e-4, atol=1e-3)


def test_large_matrices_are_not_copied():
    matrices = [torch.zeros(600, 600), torch.zeros(600, 600)]

    stack = Stack(*matrices)

    assert [part.data_ptr() for part in stack._matrices] == [part.data_ptr() for part in matrices]
