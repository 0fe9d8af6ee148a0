"""The precision in which a device keeps settings and sums: float64 wherever it has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

WITHOUT_FLOAT64 = {"mps"}
"""Kinds of devices that have no 64-bit floating point numbers."""


def exact_type(device: torch.device) -> torch.dtype:
    """Return the type of floating point numbers with the most bits that a device has."""
    return torch.float32 if device.type in WITHOUT_FLOAT64 else torch.float64


def exactly(tensor: Tensor) -> Tensor:
    """Return numbers in the most exact type of their device."""
    return tensor.to(exact_type(tensor.device))


def there(tensor: Tensor, device: torch.device) -> Tensor:
    """Move a tensor to a device, in float32 where it is float64 and the device has none."""
    fits = exact_type(device) == torch.float64 or tensor.dtype != torch.float64
    return (tensor if fits else tensor.float()).to(device)


def moved(array: NDArray[Any], device: torch.device) -> Tensor:
    """Return a copy of an array on a device, in float32 where it is float64 and the device has none."""
    fits = exact_type(device) == torch.float64 or array.dtype != np.float64
    return torch.from_numpy(np.array(array, dtype=array.dtype if fits else np.float32)).to(device)
