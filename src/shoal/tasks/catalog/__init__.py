"""The tasks by name: each module or package here is one task, found by `shoal.tasks.registry`."""
