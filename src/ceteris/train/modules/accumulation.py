"""The mean gradient of several batches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ceteris.nets.architecture import Tensor as ParameterTensor


class MeanGradient:
    """The mean of one member's gradients over the batches of a step; one workspace serves all members."""

    def __init__(self, parameters: NDArray[np.floating]) -> None:
        self._sum = np.zeros(parameters.shape[1], parameters.dtype)
        self._untrained: list[ParameterTensor] = []

    def add(self, nth: int, gradient: NDArray[np.floating], untrained: list[ParameterTensor]) -> None:
        """Add the flat gradient (P,) of a step's ``nth`` batch (from 0), and the tensors that have none."""
        if nth == 0:
            self._sum[:] = gradient
            self._untrained = untrained
        else:
            self._sum += gradient
            self._untrained = [tensor for tensor in self._untrained if tensor in untrained]

    def write(self, count: int, gradient: NDArray[np.floating]) -> list[ParameterTensor]:
        """Write the mean over ``count`` batches (P,); returns the tensors that none had a gradient for."""
        np.divide(self._sum, count, out=gradient)
        return self._untrained
