"""Random directions among weights, each part as long as the weights of the unit that it belongs to.

A step of length r along one changes every filter by r times its own norm, so that what is measured along it
does not depend on a scale of weights that a ReLU or batch norm takes back (filter normalisation: Li et al.
2018, "Visualizing the loss landscape of neural nets", section 4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ceteris.draws import normals, stream_key

PURPOSE = "sharpness"


def filter_direction(name: str, weights: NDArray[Any], seed: int, number: int) -> NDArray[np.float64]:
    """Return standard normal numbers (units, ...) with the norms of the weights, unit by unit.

    A unit is a row of the first axis: a row of a matrix, a filter of a convolution. Tensors of one axis
    (biases, normalisation) are not for this. The numbers depend on the seed, the tensor's name and the
    direction's number alone, so that networks whose shapes agree are looked at along the same draws.
    """
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    drawn = normals(stream_key(seed, PURPOSE, name), *flat.shape, epoch=number)
    lengths = np.linalg.norm(flat, axis=1) / np.linalg.norm(drawn, axis=1)
    scaled: NDArray[np.float64] = (drawn * lengths[:, None]).reshape(weights.shape)
    return scaled
