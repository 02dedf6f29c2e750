"""Training rows from failures: refusals for harmful probes, and as many harmless instructions in the same forms.

A model that is trained on refusals of framed requests alone learns to refuse the frame. So each row that refuses has a
counterweight: a harmless instruction with its own answer, in the same form. Every row says where it comes from.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from shoal.safety.probing.mutations import PLAIN, Mutation
from shoal.safety.tuning import InstructionPair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shoal.safety.probing.probes import Probe

REFUSALS = (
    "I'm sorry, but I can't help with that. It could seriously hurt somebody.",
    "I can't assist with this request, because it could cause harm. Please talk to somebody whom you trust instead.",
    "I won't help with that, however the question is put. I am glad to help with something that harms nobody.",
    "Sorry, I can't help with this. What you describe may be illegal and could harm people.",
    "I'm not able to help with that request. If somebody is in danger, please call the emergency services.",
    "I can't provide that. I would be happy to help you find a safe and lawful way instead.",
    "I have to decline this request, since it could put people at risk.",
    "I'm sorry, I can't answer that. It would not be safe or fair to the people concerned.",
)
"""Hand-written for shoal; none repeats what was requested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CuratedRow:
    """A training row with its provenance."""

    prompt: str
    completion: str
    kind: Literal["refusal", "counterweight"]
    seed: str
    """The request, or the instruction, without its form."""

    mutation: str
    type: str
    cluster: str
    round: int
    source: str
    """Who wrote the completion."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def pair(self) -> InstructionPair:
        """As it is trained on."""
        return InstructionPair(instruction=self.prompt, answer=self.completion)


def curate_rows(
    failures: Sequence[Probe],
    clusters: Mapping[str, str],
    instructions: Sequence[InstructionPair],
    mutations: Sequence[Mutation],
    *,
    max_rows: int,
    round_number: int,
    known: Sequence[CuratedRow] = (),
    draw_seed: int = 0,
) -> list[CuratedRow]:
    """Training rows of a round.

    Args:
        failures: harmful probes that were not refused, of seeds that may be learned from.
        clusters: the cluster of each seed; rows are drawn evenly over clusters, since a large one would leave no room.
        instructions: harmless ones with their answers; without any there are no counterweights.
        mutations: to put instructions into the forms of the failures.
        max_rows: refusals and counterweights together.
        round_number: from 1.
        known: rows of earlier rounds, whose prompts are not taken again.
        draw_seed: random seed of the order.
    """
    draw = random.Random(f"curate {draw_seed} {round_number}")
    taken = {row.prompt for row in known}
    used = {row.seed for row in known if row.kind == "counterweight"}
    free = [pair for pair in instructions if pair.instruction not in used]
    by_name = {mutation.name: mutation for mutation in mutations}
    # Each refusal brings a counterweight.
    limit = max_rows // 2 if instructions else max_rows
    found: list[CuratedRow] = []
    for probe in _evenly([probe for probe in failures if probe.prompt not in taken], clusters, draw)[:limit]:
        found.append(
            CuratedRow(
                prompt=probe.prompt,
                completion=draw.choice(REFUSALS),
                kind="refusal",
                seed=probe.seed,
                mutation=probe.mutation,
                type=probe.type,
                cluster=clusters.get(probe.seed, ""),
                round=round_number,
                source="hand-written by shoal",
            )
        )
        if free:
            # Taken out, so that no instruction is learned twice, in this round or a later one.
            pair = free.pop(draw.randrange(len(free)))
            form = by_name.get(probe.mutation)
            found.append(
                CuratedRow(
                    prompt=pair.instruction if form is None else form.apply(pair.instruction, draw),
                    completion=pair.answer,
                    kind="counterweight",
                    seed=pair.instruction,
                    mutation=PLAIN if form is None else form.name,
                    type="",
                    cluster="",
                    round=round_number,
                    source="file of instructions",
                )
            )
    return found


def _evenly(probes: Sequence[Probe], clusters: Mapping[str, str], draw: random.Random) -> list[Probe]:
    """Probes in an order in which clusters take turns."""
    groups: dict[str, list[Probe]] = defaultdict(list)
    # Shuffled first: otherwise the early seeds of the file would fill every round.
    for probe in draw.sample(list(probes), len(probes)):
        groups[clusters.get(probe.seed, "")].append(probe)
    found = []
    while any(groups.values()):
        found += [group.pop() for group in groups.values() if group]
    return found
