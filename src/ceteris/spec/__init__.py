"""Experiments, studies and claims: typed, validated, from YAML and from Python; no torch import.

The names below are imported when they are first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ceteris.spec.claim import Claim, Equal, Interaction, Within
    from ceteris.spec.claim_check import known_metrics
    from ceteris.spec.combine import Combination, combinations, seed_list
    from ceteris.spec.data import DataSpec
    from ceteris.spec.dump import study_from_dict, study_to_dict, study_to_yaml
    from ceteris.spec.experiment import Experiment, metric_name
    from ceteris.spec.factors import make_factor
    from ceteris.spec.folds import Folds
    from ceteris.spec.labels import combination_label, format_label
    from ceteris.spec.model import MLP, LinearModel, ModelSpec
    from ceteris.spec.named import NamedStudy, find_study, named_paths, named_studies
    from ceteris.spec.optimizer import SGD, Adagrad, Adam, AdamW, Newton, OptimizerSpec, RMSprop
    from ceteris.spec.parse import ParsedStudy, parse_study
    from ceteris.spec.patch import apply_patch
    from ceteris.spec.study import Factor, Level, Study

_HOMES = {
    "claim": ("Claim", "Equal", "Interaction", "Within"),
    "claim_check": ("known_metrics",),
    "combine": ("Combination", "combinations", "seed_list"),
    "data": ("DataSpec",),
    "dump": ("study_from_dict", "study_to_dict", "study_to_yaml"),
    "experiment": ("Experiment", "metric_name"),
    "factors": ("make_factor",),
    "folds": ("Folds",),
    "labels": ("combination_label", "format_label"),
    "model": ("MLP", "LinearModel", "ModelSpec"),
    "named": ("NamedStudy", "find_study", "named_paths", "named_studies"),
    "optimizer": ("SGD", "Adagrad", "Adam", "AdamW", "Newton", "OptimizerSpec", "RMSprop"),
    "parse": ("ParsedStudy", "parse_study"),
    "patch": ("apply_patch",),
    "study": ("Factor", "Level", "Study"),
}
_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Claim",
    "Combination",
    "DataSpec",
    "Equal",
    "Experiment",
    "Factor",
    "Folds",
    "Interaction",
    "Level",
    "LinearModel",
    "ModelSpec",
    "NamedStudy",
    "Newton",
    "OptimizerSpec",
    "ParsedStudy",
    "RMSprop",
    "Study",
    "Within",
    "apply_patch",
    "combination_label",
    "combinations",
    "find_study",
    "format_label",
    "known_metrics",
    "make_factor",
    "metric_name",
    "named_paths",
    "named_studies",
    "parse_study",
    "seed_list",
    "study_from_dict",
    "study_to_dict",
    "study_to_yaml",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
