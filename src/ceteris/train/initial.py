"""How members of a cohort start: drawn from their seeds, then as values or functions of the user's say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ceteris.errors import CeterisError, exception_in_line
from ceteris.nets.architecture import Architecture, BuiltInModel, architecture
from ceteris.nets.given import Values, of_columns, set_values
from ceteris.nets.reading import own_part, padded, reading_layer
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.init import FileInit, OwnInit
from ceteris.spec.model import ModuleModel
from ceteris.train.plan import Cohort

if TYPE_CHECKING:
    from torch import nn

Absent = Sequence[int]
"""Numbers of the columns of a table that the training rows of a trial lack."""
Code = Mapping[str, Callable[..., Any]]
"""What makes the user's own networks, and what starts them, by the names that experiments have for them."""
PURPOSE = "initial"


def starting_stack(
    cohort: Cohort,
    code: Code,
    values: Mapping[str, Values] = MappingProxyType({}),
    absent: Sequence[Absent] | None = None,
) -> StackedNetwork:
    """Return the members of a cohort as they begin.

    Args:
        cohort: trials of one structure.
        code: the user's own networks and initialisations.
        values: initial values by name, by the content hash that experiments have for them.
        absent: of each member. In the rows of a built-in network they stand behind the others, as zeros, or
            not at all (``ceteris.nets.reading``); one of the user's own gets zeros in their places.

    Raises ``CeterisError`` where a function of the user's fails.
    """
    net, seeds = cohort.structure.net, [trial.seed for trial in cohort.trials]
    models = [trial.experiment.model for trial in cohort.trials]
    own = [model for model in models if isinstance(model, ModuleModel)]
    lacking = absent or [()] * len(seeds)
    widths = [net.n_in - len(them) if reading_layer(net) else net.n_in for them in lacking]
    if own:
        from ceteris.train.modules.user import initial_modules

        stack: StackedNetwork = initial_modules(net, code, own, seeds, lacking)
    else:
        built_in = [model for model in models if not isinstance(model, ModuleModel)]
        stack = initial_stack(net, built_in, seeds, columns=widths)
    for place, model in enumerate(models):
        init = model.init
        if not isinstance(init, FileInit | OwnInit):
            continue
        narrow = None if isinstance(model, ModuleModel) else _narrow(net, model, widths[place])
        module = _module_of(stack, place, narrow)
        if isinstance(init, FileInit):
            given = values[init.content or ""]
            there = not isinstance(model, ModuleModel) and lacking[place]
            set_values(module, init, of_columns(given, module, lacking[place]) if there else given)
        else:
            _apply(code[init.name], init.name, module, seeds[place])
        _take(stack, place, narrow, module)
    return stack


def _narrow(net: Architecture, model: BuiltInModel, columns: int) -> Architecture | None:
    """Return the network of rows with so many columns; None where they have all that ``net`` reads."""
    return None if columns == net.n_in else architecture(model, columns, net.n_out, table=net.n_in)


def _module_of(stack: StackedNetwork, place: int, narrow: Architecture | None) -> nn.Module:
    """Return a member as a module, which for one of the user's own is that which is trained."""
    modules: tuple[nn.Module, ...] = getattr(stack, "modules", ())
    if modules or narrow is None:
        return modules[place] if modules else stack.member(place)
    from ceteris.nets.module import to_module

    net, flat = stack.architecture, stack.parameters[place]
    parts = [own_part(net, tensor, flat, narrow.n_in).reshape(-1) for tensor in net.parameters]
    return to_module(narrow, np.concatenate(parts), stack.buffers[place], tuple(stack.rates[place]))


def _take(stack: StackedNetwork, place: int, narrow: Architecture | None, module: nn.Module) -> None:
    """Take the values of a member's module, which was changed, into the stack."""
    if narrow is None:
        stack.set_member(place, module)
        return
    from ceteris.nets.module import from_module

    parameters, stack.buffers[place] = from_module(narrow, module)
    stack.parameters[place] = padded(stack.architecture, parameters, narrow.n_in)


def _apply(function: Callable[..., Any], name: str, module: nn.Module, seed: int) -> None:
    """Let a function change every module of a network, with random numbers from a key of the seed."""
    import torch

    from ceteris.train.modules.initial import torch_seed
    from ceteris.train.modules.seeding import seeded

    with seeded(torch_seed(seed, PURPOSE)), torch.no_grad():
        try:
            module.apply(function)
        except Exception as error:
            message = f"the initialisation `{name}` failed with {exception_in_line(error)}"
            raise CeterisError(message) from error
    if not all(bool(parameter.isfinite().all()) for parameter in module.parameters()):
        raise CeterisError(f"the initialisation `{name}` gave a parameter that is NaN or infinite")
