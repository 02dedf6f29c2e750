"""The same views at every checkpoint of a training, and when heads take their roles."""

from shoal.insight.over_training.checkpoints import checkpoint_folders
from shoal.insight.over_training.history import RoleHistory, RoleMoment, role_moments, roles_over_training

__all__ = ["RoleHistory", "RoleMoment", "checkpoint_folders", "role_moments", "roles_over_training"]
