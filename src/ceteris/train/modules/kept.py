"""The buffers of a running module as bytes, those included that are not saved with its weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ceteris.train.tensor.kept import BUFFER, as_bytes, from_bytes


def module_buffers(module: nn.Module) -> dict[str, NDArray[np.generic]]:
    """Return all buffers of a module, as bytes by name: NumPy has no bfloat16."""
    return {BUFFER + name: as_bytes(buffer) for name, buffer in module.named_buffers()}


def restore_module_buffers(module: nn.Module, state: Mapping[str, NDArray[np.generic]]) -> None:
    """Put back in place what ``module_buffers`` returned."""
    with torch.no_grad():
        for name, buffer in module.named_buffers():
            buffer.copy_(from_bytes(state[BUFFER + name], buffer))
