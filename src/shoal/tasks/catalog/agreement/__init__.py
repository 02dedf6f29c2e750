"""The task of subject-verb agreement."""

from shoal.tasks.catalog.agreement.task import agreement

__all__ = ["agreement"]
