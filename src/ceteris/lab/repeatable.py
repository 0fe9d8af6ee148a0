"""Whether this machine can go on where a record left off: numerics and versions then and now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from ceteris.draws import SCHEME
from ceteris.records.plain_json import canonical_json
from ceteris.train.numerics import has_avx512

SCHEME_NAME = "randomness scheme"
DECIDING = ("ceteris", "torch", "numpy", "scipy", "numba", "llvmlite", SCHEME_NAME)
"""Versions that can change the bits of a result; others are told and no more."""

PLAIN_KERNELS = ("Haswell", "Zen")
"""OpenBLAS kernels that every processor with AVX-512 can run as well."""


def with_scheme(versions: Mapping[str, str]) -> dict[str, str]:
    """Return versions as a record keeps them: with that of the randomness scheme."""
    return {**versions, SCHEME_NAME: str(SCHEME)}


def required_environment(numerics: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment that gives a worker the recorded BLAS kernels, where this processor has them."""
    kernels = str(_flat(numerics).get("blas.kernels", ""))
    return {"OPENBLAS_CORETYPE": kernels} if kernels in PLAIN_KERNELS and has_avx512() else {}


def recorded_device(device: str) -> str:
    """Return the device to ask for from a record's (``cuda: <name>`` -> ``cuda``)."""
    return device.partition(":")[0]


def deciding_differences(
    numerics_then: Mapping[str, Any],
    numerics_now: Mapping[str, Any],
    versions_then: Mapping[str, str],
    versions_now: Mapping[str, str],
) -> list[str]:
    """Return what differs and may change the bits of a result: ``numba 0.61.0 then, 0.62.1 now``."""
    then = {name: versions_then.get(name) for name in DECIDING}
    now = {name: versions_now.get(name) for name in DECIDING}
    return [*_differences(_flat(numerics_then), _flat(numerics_now)), *_differences(then, now)]


def numerics_key(numerics: Mapping[str, Any], versions: Mapping[str, str]) -> str:
    """Return a hash of all that can change the bits of a result (``versions`` with that of the scheme)."""
    deciding = {name: versions.get(name) for name in DECIDING}
    text = canonical_json({"numerics": numerics, "versions": deciding})
    return hashlib.sha256(text.encode()).hexdigest()


def other_differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the versions that differ and do not change results."""
    names = [name for name in then if name not in DECIDING]
    return _differences({name: then[name] for name in names}, {name: now.get(name) for name in names})


def _differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    names = dict.fromkeys([*then, *now])
    return [
        f"{name} {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in names
        if then.get(name) != now.get(name)
    ]


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_walk(value, ""))


def _walk(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, item in value.items():
        if isinstance(item, Mapping):
            yield from _walk(item, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", item
