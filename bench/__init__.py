"""Measurements against the promises in the README. Each prints a table and writes JSON under `bench/results/`."""
