"""What each attention head does, by score and against a null."""

from shoal.insight.roles.named import HeadRole, HeadRoles, head_roles
from shoal.insight.roles.scores import ROLES, role_scores

__all__ = ["ROLES", "HeadRole", "HeadRoles", "head_roles", "role_scores"]
