"""The task of plot facts."""

from shoal.tasks.catalog.story_facts.task import story_facts

__all__ = ["story_facts"]
