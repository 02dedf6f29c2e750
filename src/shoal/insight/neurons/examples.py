"""The strongest activations of each neuron, kept while a corpus streams by.

Memory does not grow with the corpus: T examples a neuron, and the sums by token of the neurons that are summarised.

Shapes: C neurons (of all blocks, side by side), T examples a neuron, N positions of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronExample:
    """One place in the corpus at which a neuron fired."""

    activation: float
    text: int
    """Which text."""

    position: int
    """Which token of it."""

    token: str
    before: str
    """The text before the token."""

    after: str


class Strongest:
    """The T strongest activations of each neuron so far.

    Args:
        neurons: C.
        kept: T.
    """

    def __init__(self, neurons: int, kept: int) -> None:
        self.value_CT = torch.full((neurons, kept), -torch.inf)
        self.place_CT = torch.full((neurons, kept), -1, dtype=torch.long)

    def add(self, activation_NC: torch.Tensor, place_N: torch.Tensor) -> None:
        """Take in the activations of some positions; of equal ones the earlier is kept."""
        kept = self.value_CT.shape[1]
        fresh_CT, which_CT = activation_NC.float().T.topk(min(kept, len(place_N)), dim=1)
        value = torch.cat([self.value_CT, fresh_CT.cpu()], dim=1)
        place = torch.cat([self.place_CT, place_N[which_CT.cpu()]], dim=1)
        order_CT = value.sort(dim=1, descending=True, stable=True).indices[:, :kept]
        self.value_CT, self.place_CT = value.gather(1, order_CT), place.gather(1, order_CT)
