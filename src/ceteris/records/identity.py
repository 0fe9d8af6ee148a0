"""The identity of a trial: a hash of all that decides its result, and of nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ceteris.records.plain_json import canonical_json

IDENTITY_DIGITS = 20
"""Hex digits kept of the SHA-256: 80 bits, so a million trials collide once in 10^12 stores."""


def trial_identity(
    experiment: Mapping[str, Any],
    seed: int,
    fold: int,
    content: str,
    numerics: Mapping[str, Any],
    scheme: int,
) -> str:
    """Return the identity of a trial as 20 hex digits.

    ``experiment`` is the resolved experiment as plain JSON (``model_dump(mode="json")``),
    ``content`` the hash of the data, ``numerics`` what decides the last bits, ``scheme`` the
    version of the randomness scheme. The six are hashed as canonical JSON (``canonical_json``).
    An integer and the equal float are different there: ``lr: 1`` and ``lr: 1.0`` are one trial
    only because the specification turns both into a float before they get here.
    """
    parts = {
        "experiment": experiment,
        "seed": seed,
        "fold": fold,
        "content": content,
        "numerics": numerics,
        "scheme": scheme,
    }
    digest = hashlib.sha256(canonical_json(parts).encode("ascii")).hexdigest()
    return digest[:IDENTITY_DIGITS]
