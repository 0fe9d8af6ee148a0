"""How members of a cohort start: drawn from their seeds, then as values or functions of the user's say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ceteris.errors import CeterisError, exception_in_line
from ceteris.nets.given import Values, set_values
from ceteris.nets.reading import Absent, clear_absent
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.init import FileInit, OwnInit
from ceteris.spec.model import ModuleModel
from ceteris.train.plan import Cohort

if TYPE_CHECKING:
    from torch import nn

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
        absent: each member's input columns that are 0 in all of its rows: see ``ceteris.nets.reading``.

    Raises ``CeterisError`` where a function of the user's fails.
    """
    net, seeds = cohort.structure.net, [trial.seed for trial in cohort.trials]
    models = [trial.experiment.model for trial in cohort.trials]
    own = [model for model in models if isinstance(model, ModuleModel)]
    if own:
        from ceteris.train.modules.user import initial_modules

        stack: StackedNetwork = initial_modules(net, code, own, seeds, absent)
    else:
        built_in = [model for model in models if not isinstance(model, ModuleModel)]
        stack = initial_stack(net, built_in, seeds, absent=absent)
    for place, model in enumerate(models):
        init = model.init
        if not isinstance(init, FileInit | OwnInit):
            continue
        module = _module_of(stack, place)
        if isinstance(init, FileInit):
            set_values(module, init, values[init.content or ""])
        else:
            _apply(code[init.name], init.name, module, seeds[place])
        stack.set_member(place, module)
        clear_absent(net, stack.parameters[place], absent[place] if absent else ())
    return stack


def _module_of(stack: StackedNetwork, place: int) -> nn.Module:
    """Return a member as a module, which for one of the user's own is that which is trained."""
    modules: tuple[nn.Module, ...] = getattr(stack, "modules", ())
    return modules[place] if modules else stack.member(place)


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
