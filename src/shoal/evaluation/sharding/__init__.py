"""Evaluations split into shards: a plan file, the records of each shard, and their merge.

A plan says which items there are, in which order, and which of them go through the model together. Whoever computes a
block of it gets the same records, so that a merge is the same bytes for every number of shards.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
