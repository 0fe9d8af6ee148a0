"""Experiments, studies and claims: typed, validated, from YAML and from Python; no torch import."""
