"""The same views at every checkpoint of a training, and when heads and neurons take their roles."""

from shoal.insight.over_training.checkpoints import checkpoint_folders
from shoal.insight.over_training.history import RoleHistory, RoleMoment, role_moments, roles_over_training
from shoal.insight.over_training.neurons import NeuronHistory, NeuronMoment, neurons_over_training
from shoal.insight.over_training.rise import Rise

__all__ = [
    "NeuronHistory",
    "NeuronMoment",
    "Rise",
    "RoleHistory",
    "RoleMoment",
    "checkpoint_folders",
    "neurons_over_training",
    "role_moments",
    "roles_over_training",
]
