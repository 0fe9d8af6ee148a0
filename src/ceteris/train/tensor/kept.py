"""Tensors as plain arrays, for checkpoints."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BUFFER = "buffer "
"""What names of buffers begin with in the state of a member."""


def as_array(tensor: Tensor) -> NDArray[np.generic]:
    """Return a copy of a tensor of floating-point numbers."""
    own: NDArray[np.generic] = tensor.detach().cpu().numpy().copy()
    return own


def as_bytes(tensor: Tensor) -> NDArray[np.generic]:
    """Return the numbers of a tensor as bytes, whatever its type."""
    own: NDArray[np.generic] = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().copy()
    return own


def from_bytes(content: NDArray[np.generic], like: Tensor) -> Tensor:
    """Return the tensor of the type and shape of ``like`` whose bytes these are."""
    return torch.from_numpy(np.array(content)).view(like.dtype).reshape(like.shape)
