"""Evaluators that are right, each in its own way, and mutants: evaluators with one fault each."""
