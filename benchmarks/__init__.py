"""Shoal beside its peers: each module runs both sides on this machine and prints a table."""
