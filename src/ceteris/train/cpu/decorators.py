"""How kernels are compiled: decorators for Numba."""

from __future__ import annotations

from typing import Any

import numba

njit: Any = numba.njit
"""Its own type does not know every option."""

# Numba's Python error model would test every division for zero and so keep loops scalar.
_options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}
# Numba counts the references of every array that a function is given or cuts out of another, with locked
# instructions: 40% of the time of a small network. What kernels work on outlives them, so they count nothing;
# nor can they allocate anything.
_uncounted: dict[str, Any] = {**_options, "_nrt": False}

kernel = njit(**_uncounted)
# Sums may be reordered so that they vectorise: their order then depends on the length alone.
summing = njit(**_uncounted, fastmath={"reassoc"})
# For what returns an array, as np.dot does even where it is given one.
counting = njit(**_options, _nrt=True)
