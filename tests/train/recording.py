"""What a step must not do to be recorded in a CUDA graph: wait for the card, or send it something."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._pytree import tree_flatten

WAITING = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.item.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.lift_fresh.default,
    torch.ops.aten.lift_fresh_copy.default,
}
"""Operations that wait for a device: they read a number there, or their result's shape hangs on one.

Those at the end bring numbers of Python's to it, by a copy for which the host waits too.
"""


class ForbiddenError(AssertionError):
    """A step did what a recorded one cannot."""


def check(func: Any, args: Any, kwargs: Any) -> None:
    """Raise where an operation waits for the device, brings it something, or takes something from it."""
    if func in WAITING:
        raise ForbiddenError(f"{func} waits for the device")
    tensors = [own for own in tree_flatten((args, kwargs))[0] if isinstance(own, torch.Tensor)]
    if len({own.device.type for own in tensors}) > 1:
        raise ForbiddenError(f"{func} reads on two devices")
    device = (kwargs or {}).get("device")
    if device is not None and tensors and torch.device(device).type != tensors[0].device.type:
        raise ForbiddenError(f"{func} moves a tensor to {device}")
    if "index" in func.name():
        for own in tensors:
            if own.dtype == torch.bool and func is torch.ops.aten.index.Tensor and own is not tensors[0]:
                raise ForbiddenError(f"{func} by a mask: the shape of its result hangs on numbers")
