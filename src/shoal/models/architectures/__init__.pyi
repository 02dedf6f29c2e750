from .base import (
    Architecture as Architecture,
    ModelShape as ModelShape,
    architecture_names as architecture_names,
    build_model as build_model,
    find_architecture as find_architecture,
)
