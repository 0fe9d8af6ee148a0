"""One member of a stack as a running module: its parameters are views into the stack's flat vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ceteris.draws import Key, stream_key
from ceteris.nets.architecture import Architecture, UserModule, named_views, random_places
from ceteris.nets.architecture import Tensor as ParameterTensor
from ceteris.nets.hidden import hidden_modules
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.optimizer import Newton
from ceteris.train.engine import StackSpec
from ceteris.train.modules.dropout import Clock, KeyOf, replace_dropouts
from ceteris.train.modules.initial import torch_seed
from ceteris.train.modules.memory import aligned_rows
from ceteris.train.modules.norms import replace_norms
from ceteris.train.modules.pooling import replace_pools
from ceteris.train.modules.precision import Lowered
from ceteris.train.modules.probes import Watch, with_gradients
from ceteris.train.modules.seeding import seed_libraries
from ceteris.train.modules.user import ModuleStack, as_table, flat_tensors, shaped_rows


class Member:
    """A module under training, with what a step needs of it.

    Args:
        flat: the member's row of the stack's parameters (P,), which the module's become views of.
        key_of: the key of each dropout layer.
        precision: of the forward and backward pass.
    """

    def __init__(
        self,
        module: nn.Module,
        net: Architecture,
        flat: NDArray[np.floating],
        key_of: KeyOf,
        precision: str = "float32",
    ) -> None:
        self.module = module
        self._net = net
        self._clock = Clock()
        parameters = dict(module.named_parameters())
        self._parameters = [parameters[tensor.name] for tensor in net.parameters]
        for (_, view), parameter in zip(named_views(net.parameters, flat), self._parameters, strict=True):
            parameter.data = torch.from_numpy(view)
        self._gradient = aligned_rows(np.zeros_like(flat)[None])[0]
        views = named_views(net.parameters, self._gradient)
        self._gradients = [torch.from_numpy(view) for _, view in views]
        replace_dropouts(module, key_of, self._clock)
        self._run = module if precision == "float32" else Lowered(module, precision)
        self.hidden = hidden_modules(net)
        self.watch = Watch(module, self.hidden)

    def forward(self, rows: Tensor, epoch: int, first_row: int) -> Tensor:
        """Return the outputs (n, k) for flat rows (n, features)."""
        self._clock.begin(epoch, first_row)
        outputs: Tensor = self._run(rows)
        return outputs

    def gradient(
        self, loss: Tensor, kept: dict[str, Tensor]
    ) -> tuple[NDArray[np.floating], list[ParameterTensor], dict[str, Tensor | None]]:
        """Return the flat gradient, the parameters that have none, and the gradients at kept activations.

        Zeros stand in the places of parameters that are frozen or took no part in the loss; they are not to
        be updated, as with torch.optim.
        """
        trained = [p for p in self._parameters if p.requires_grad]
        paths = with_gradients(self.hidden, kept)
        every = torch.autograd.grad(loss, [*trained, *(kept[path] for path in paths)], allow_unused=True)
        found = iter(every)
        at_layers: dict[str, Tensor | None] = dict(zip(paths, every[len(trained) :], strict=True))
        untrained = []
        for tensor, parameter, own in zip(
            self._net.parameters, self._parameters, self._gradients, strict=True
        ):
            gradient = next(found) if parameter.requires_grad else None
            if gradient is None:
                own.zero_()
                untrained.append(tensor)
            else:
                own.copy_(gradient)
        return self._gradient, untrained, at_layers

    def buffers(self) -> NDArray[np.float64]:
        """Return the buffers as a flat vector."""
        return flat_tensors(self._net, self.module, parameters=False)


class UserMember(Member):
    """A module of the user's own: gets rows in its shape, and random numbers of its own for each step."""

    def __init__(
        self, stack: ModuleStack, place: int, flat: NDArray[np.floating], precision: str = "float32"
    ) -> None:
        seed = stack.seeds[place]
        super().__init__(stack.modules[place], stack.architecture, flat, _keys_by_name(seed), precision)
        self._seed = seed
        (self._whole,) = (layer for layer in stack.architecture.layers if isinstance(layer, UserModule))

    def forward(self, rows: Tensor, epoch: int, first_row: int) -> Tensor:
        """Return the outputs (n, k) for flat rows (n, features)."""
        seed_libraries(torch_seed(self._seed, "step", f"{epoch}.{first_row}"))
        shape, last = self._whole.row_shape, self._whole.channels_last
        return as_table(super().forward(shaped_rows(rows, shape, channels_last=last), epoch, first_row))


def members_of(spec: StackSpec, stack: StackedNetwork, parameters: NDArray[np.floating]) -> Sequence[Member]:
    """Return the members of a stack as modules that are ready to run on rows of parameters (M, P)."""
    if isinstance(stack, ModuleStack):
        return [UserMember(stack, place, flat, spec.precision) for place, flat in enumerate(parameters)]
    modules = [stack.member(place) for place in range(len(stack))]
    if not any(isinstance(optimizer, Newton) for optimizer in spec.optimizers):  # which differentiates twice
        for module in modules:
            replace_norms(module, hidden_modules(spec.net))
            replace_pools(module)
    return [
        Member(module, spec.net, flat, _keys_by_role(spec, place), spec.precision)
        for place, (module, flat) in enumerate(zip(modules, parameters, strict=True))
    ]


def prepared_modules(spec: StackSpec, stack: StackedNetwork, clock: Clock) -> list[nn.Module]:
    """Return the modules of a stack with keyed dropout, all on one clock."""
    if isinstance(stack, ModuleStack):
        modules = list(stack.modules)
        keys = [_keys_by_name(seed) for seed in stack.seeds]
    else:
        modules = [stack.member(place) for place in range(len(stack))]
        keys = [_keys_by_role(spec, place) for place in range(len(stack))]
    for module, key_of in zip(modules, keys, strict=True):
        replace_dropouts(module, key_of, clock)
    return modules


def _keys_by_name(seed: int) -> KeyOf:
    return lambda name: stream_key(seed, "dropout", name)


def _keys_by_role(spec: StackSpec, place: int) -> KeyOf:
    """Return the keys of a built-in network: those that its layers have in every engine."""
    places = enumerate(random_places(spec.net))
    keys = {
        role: Key(*map(int, spec.keys[place][slot]))
        for slot, (purpose, role) in places
        if purpose == "dropout"
    }
    return lambda name: keys[name] if name in keys else keys[name.removesuffix(".dropout")]


def without(segments: NDArray[np.int64], tensors: Sequence[ParameterTensor]) -> NDArray[np.int64]:
    """Cut tensors out of stretches (begin, end, group) of the parameter vector."""
    kept = [tuple(map(int, row)) for row in segments]
    for tensor in tensors:
        first, last = tensor.offset, tensor.offset + tensor.size
        cut = []
        for begin, end, group in kept:
            cut += [(begin, min(end, first), group), (max(begin, last), end, group)]
        kept = [(begin, end, group) for begin, end, group in cut if begin < end]
    return np.array(kept, dtype=np.int64).reshape(len(kept), 3)


def emptied(table: NDArray[np.int64], tensors: Sequence[ParameterTensor]) -> NDArray[np.int64]:
    """Return the table of all tensors (begin, end, group) in which some have no numbers."""
    begins = {tensor.offset for tensor in tensors}
    return np.array([(b, b if b in begins else e, group) for b, e, group in table], dtype=np.int64)
