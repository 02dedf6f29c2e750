"""The vectors of tokens and words: what is near, how even their space is, and how many dimensions they need."""

from shoal.insight.vectors.geometry import Geometry, iso_score, measure_geometry, partition_ratio
from shoal.insight.vectors.neighbours import Agreement, Neighbours, measure_agreement, nearest_neighbours
from shoal.insight.vectors.projection import Projection, project
from shoal.insight.vectors.reading import TokenVectors, read_vectors
from shoal.insight.vectors.report import VectorReport, describe_vectors

__all__ = [
    "Agreement",
    "Geometry",
    "Neighbours",
    "Projection",
    "TokenVectors",
    "VectorReport",
    "describe_vectors",
    "iso_score",
    "measure_agreement",
    "measure_geometry",
    "nearest_neighbours",
    "partition_ratio",
    "project",
    "read_vectors",
]
