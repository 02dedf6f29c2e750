"""Damage of a known kind and dose: to the grammar of a story, to its consistency, to how it follows what was asked."""

from shoal.evaluation.judging.damage.doses import DAMAGES, DOSES, Damaged, damaged_pieces

__all__ = ["DAMAGES", "DOSES", "Damaged", "damaged_pieces"]
