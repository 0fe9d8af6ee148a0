"""Which program trains a network: the engines, or the one that is written out to be read."""

from __future__ import annotations

from typing import Literal

Implementation = Literal["builtin", "scratch"]
BUILTIN, SCRATCH = "builtin", "scratch"
