"""Keyed random numbers: every draw is a function of what it is for, never of what was drawn before.

A draw is named by (scheme version, seed, purpose, role, epoch, row, column). So the numbers
behind a weight or a mask are the same for all variants of a seed whose shapes agree, and
neighbours, batch size, depth, worker or resume cannot shift them (laws 2 and 7).

The generator is Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as
1, 2, 3"), written twice: with NumPy here, and as a Numba function in ``ceteris.draws.compiled``
for use inside training kernels. Both give the same words.
"""

from ceteris.draws.keyed import (
    SCHEME,
    Key,
    normals,
    permutation,
    stream_key,
    uniforms,
    words,
)

__all__ = ["SCHEME", "Key", "normals", "permutation", "stream_key", "uniforms", "words"]
