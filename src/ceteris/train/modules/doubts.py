"""What a module of the user's own does that is probably not meant, as far as two rows show it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ceteris.train.modules.attributes import attribute_notes

MOST_NAMES = 6
"""So many parameters are named; of more, how many they are."""
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
CLOSE = 1e-3
"""Outputs of a row that differ by less, of the largest output, count as equal."""


def doubts(name: str, module: nn.Module, rows: Tensor, *, scaled: bool = False) -> tuple[str, ...]:
    """Return one sentence for each thing that does not keep a module from being trained; rows (2, ...).

    Tensors where torch does not see them, parameters that no gradient reaches, outputs of a row that depend
    on what else is in the batch, and where whole numbers are ``scaled``, an embedding that they reach as 0.
    """
    return (
        *attribute_notes(name, module),
        *_untrained(name, module, rows),
        *_entangled(name, module, rows),
        *(_cut_off(name, module, rows) if scaled else ()),
    )


def _untrained(name: str, module: nn.Module, rows: Tensor) -> Iterator[str]:
    """Name the parameters that are to be trained and do not take part in the gradient."""
    wanted = {own: p for own, p in module.named_parameters() if p.requires_grad}
    total = _outputs(module.train(), rows).sum()
    found = torch.autograd.grad(total, list(wanted.values()), allow_unused=True)
    without = [own for own, gradient in zip(wanted, found, strict=True) if gradient is None]
    if without:
        named = ", ".join(f"`{own}`" for own in without[:MOST_NAMES])
        more = f" and {len(without) - MOST_NAMES} more" if len(without) > MOST_NAMES else ""
        stay = "it stays as it started" if len(without) == 1 else "they stay as they started"
        yield (
            f"no gradient reaches {named}{more} in `{name}` from two rows that were looked at; where others "
            f"do no more, {stay}, and no outputs depend on them, or only through `.data` or `.detach()`; "
            "use the parameter itself, or mark what is meant to stay by `requires_grad_(False)`"
        )


@torch.no_grad()
def _entangled(name: str, module: nn.Module, rows: Tensor) -> Iterator[str]:
    """Tell where a row's outputs in evaluation mode change with the row beside it."""
    module.eval()
    first = rows[:1].expand_as(rows).contiguous()
    beside, alike = _outputs(module, rows)[0], _outputs(module, first)[0]
    if float((beside - alike).abs().max()) > CLOSE * max(float(beside.abs().max()), CLOSE):
        yield (
            f"in evaluation mode the outputs of `{name}` for a row depend on the other rows of its batch, so "
            "what is measured depends on how rows are cut into batches; look for a softmax, a mean or a norm "
            "over the wrong axis (0 is that of the rows)"
        )


@torch.no_grad()
def _cut_off(name: str, module: nn.Module, rows: Tensor) -> Iterator[str]:
    """Name an embedding that looks up 0 alone where rows are in [0, 1), as scaling makes them."""
    found: dict[str, bool] = {}

    def note(role: str, layer: nn.Module, given: tuple[Any, ...]) -> None:
        found[role] = found.get(role, True) and given[0].numel() > 1 and not bool(given[0].any())

    layers = [(role, layer) for role, layer in module.named_modules() if isinstance(layer, EMBEDDINGS)]
    handles = [layer.register_forward_pre_hook(partial(note, role)) for role, layer in layers]
    try:
        _outputs(module.eval(), rows)
    finally:
        for handle in handles:
            handle.remove()
    for role in (role for role, only_zeros in found.items() if only_zeros):
        yield (
            f"`{role}` in `{name}` looks up 0 wherever an input lies in [0, 1), and the whole numbers of the "
            "data are scaled; if they are tokens, leave them whole: `data.scale: none`, and `model.input: "
            "integers`"
        )


def _outputs(module: nn.Module, rows: Tensor) -> Tensor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs: Tensor = module(rows)
    return outputs
