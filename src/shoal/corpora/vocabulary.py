"""The words that the generated stories are made of: a child's words."""

from __future__ import annotations

GIRLS = ("Anna", "Bella", "Lily", "Lucy", "Mia", "Rose", "Sue", "Zoe")
BOYS = ("Ben", "Dan", "Jack", "Leo", "Max", "Sam", "Tim", "Tom")
NAMES = GIRLS + BOYS

THINGS = (
    "ball", "bird", "book", "box", "card", "coin", "cup", "door", "fish", "hat",
    "house", "key", "leaf", "room", "shell", "sign", "star", "stone", "tree", "bag",
)  # fmt: skip
ADJECTIVES = ("big", "blue", "green", "long", "new", "old", "red", "round", "small", "soft")
PLACES = ("forest", "garden", "park", "pond", "river", "school", "shop", "town")
ANIMALS = ("bear", "cat", "dog", "duck", "fox", "frog", "mouse", "rabbit")
FEELINGS = ("glad", "happy", "proud", "kind", "brave")


def pronoun(name: str) -> str:
    """``She`` or ``He``."""
    return "She" if name in GIRLS else "He"
