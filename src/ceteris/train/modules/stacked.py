"""Modules on a device: all members in one call through ``torch.func``, or one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ceteris.errors import CeterisError, exception_in_line
from ceteris.nets.architecture import UserModule
from ceteris.nets.hidden import hidden_modules
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.engine import StackSpec
from ceteris.train.modules.dropout import Clock, KeyedDropout
from ceteris.train.modules.generators import OwnGenerators
from ceteris.train.modules.host_state import changes, drawn_from, host_state
from ceteris.train.modules.initial import torch_seed
from ceteris.train.modules.member import prepared_modules
from ceteris.train.modules.precision import TYPES, StackedLowering
from ceteris.train.modules.probes import Watch
from ceteris.train.modules.seeding import seed_libraries
from ceteris.train.modules.user import ModuleStack, as_table, shaped_rows
from ceteris.train.tensor.engine import TensorEngine
from ceteris.train.tensor.exact import there
from ceteris.train.tensor.masks import Draws
from ceteris.train.tensor.optimizer import StackedOptimizer
from ceteris.train.tensor.probes import TensorProbes
from ceteris.train.tensor.runners import PlainRunner, StepRunner

TRIED_ROWS = 2


class StackedModuleEngine(TensorEngine):
    """Trains modules whose parameters and buffers are stacked: one module's code, run for all members.

    A module that ``torch.func.vmap`` cannot run (its flow depends on its data, it draws numbers of its
    own), or that draws from a generator of Python's, NumPy's or its own, is run for one member after another;
    ``reason`` then says why. Its steps are not recorded, and neither are those of a module that counts
    something in Python. Iterators, and what global variables refer to, are not seen.
    """

    def __init__(
        self, spec: StackSpec, stack: StackedNetwork, device: str, runner: StepRunner | None = None
    ) -> None:
        super().__init__(spec, stack, device, runner)
        self._dropout = Clock(on_device=True)
        modules = prepared_modules(spec, stack, self._dropout)
        self._buffers = {
            name: there(torch.stack([dict(module.named_buffers())[name] for module in modules]), self._device)
            for name, _ in modules[0].named_buffers()
        }
        self._generators = OwnGenerators(modules)
        self._module = _shared(modules, self._device)  # moves the first module: after its buffers are stacked
        self._watch = Watch(self._module, hidden_modules(spec.net))
        layer = spec.net.layers[0]
        self._row_shape = layer.row_shape if isinstance(layer, UserModule) else None
        self._seeds = stack.seeds if isinstance(stack, ModuleStack) else ()
        self._refuse_new_buffers()
        self.reason = self._why_not_together()
        before = host_state(self._module)
        self._trained = self._parameters_with_gradient()
        changed = changes(before, host_state(self._module)) if self._seeds else []
        drawn = drawn_from(changed)
        self._generators.rewind()  # what was tried is no part of training
        if drawn and not self.reason:
            # Together all would read one number, which no seed of theirs fixes.
            self.reason = f"it draws from {drawn[0]}"
        if self.reason or changed:
            self._runner = PlainRunner(self.reason or f"a forward pass changes {changed[0]}")
        trained = tuple(t for t in spec.net.parameters if t.name in self._trained)
        self._probes = TensorProbes(spec.net, len(stack), self._device, self._trained, sees_layers=False)
        self._optimizer = StackedOptimizer(
            replace(spec.net, parameters=trained),
            spec.experiments,
            spec.widths,
            {name: self._parameters[name] for name in self._trained},
        )

    def buffers(self) -> NDArray[np.floating]:
        """Return the buffers that are saved, (M, Q)."""
        members = len(self._diverged)
        saved = [self._buffers[t.name].reshape(members, -1).cpu().double() for t in self._spec.net.buffers]
        return torch.cat(saved, dim=1).numpy() if saved else np.zeros((members, 0))

    def _forward(self, x: Tensor, draws: Draws | None, kept: list[Tensor] | None = None) -> Tensor:
        """Run all members on their rows, x (M, n, features); without draws in evaluation mode.

        ``kept`` receives the activations of hidden layers in evaluation mode. In training they are not seen:
        a gradient with respect to what ``vmap`` hands out is not one with respect to what it computed with.
        """
        with self._lowered():
            outputs = self._outputs(x, draws, kept)
        return outputs if self._spec.precision == "float32" else outputs.float()

    @contextmanager
    def _lowered(self) -> Iterator[None]:
        """Run modules inside in the precision that was asked for."""
        precision = self._spec.precision
        if precision == "float32":
            yield
            return
        # Nothing is cached from one step to the next: what a recording has cast is its own.
        autocast = torch.autocast(self._device.type, dtype=TYPES[precision], cache_enabled=False)
        with autocast, StackedLowering(precision):
            yield

    def _outputs(self, x: Tensor, draws: Draws | None, kept: list[Tensor] | None) -> Tensor:
        self._module.train(draws is not None)
        if draws is None:
            self._dropout.begin(0, 0)
        else:
            self._dropout.begin(draws.epoch, draws.first_row)
        if kept is not None and draws is None:
            return self._watched(x, kept)
        if not self.reason:
            return self._together(x)
        return self._one_by_one(x, *((0, 0) if draws is None else draws.on_host))

    def _watched(self, x: Tensor, kept: list[Tensor]) -> Tensor:
        """Run members one after another in evaluation mode, and keep what their hidden layers give."""
        outputs, activations = [], []
        for place, rows in enumerate(x):
            own = {name: tensor[place] for name, tensor in self._parameters.items()}
            buffers = {name: tensor[place] for name, tensor in self._buffers.items()}
            with self._watch.kept() as found, self._generators.of(place):
                outputs.append(self._call(own, buffers, rows))
            activations.append(found)
        missing = torch.full((1, 1, 1), torch.nan, device=self._device)
        for path in hidden_modules(self._spec.net):
            kept.append(torch.stack([found.get(path, missing[0]) for found in activations]))
        return torch.stack(outputs)

    def _together(self, x: Tensor) -> Tensor:
        outputs: Tensor = vmap(self._call)(self._parameters, self._buffers, x)
        return outputs

    def _one_by_one(self, x: Tensor, epoch: int, first_row: int) -> Tensor:
        outputs = []
        for place, rows in enumerate(x):
            if self._seeds:
                seed_libraries(torch_seed(self._seeds[place], "step", f"{epoch}.{first_row}"))
            self._dropout.begin(epoch, first_row)
            own = {name: tensor[place] for name, tensor in self._parameters.items()}
            buffers = {name: tensor[place] for name, tensor in self._buffers.items()}
            with self._generators.of(place):
                outputs.append(self._call(own, buffers, rows))
        return torch.stack(outputs)

    def _call(self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor], rows: Tensor) -> Tensor:
        """Run one member on its rows (n, features)."""
        if self._row_shape is not None:
            rows = shaped_rows(rows, self._row_shape, channels_last=False)
        outputs: Tensor = functional_call(self._module, (dict(parameters), dict(buffers)), (rows,))
        return as_table(outputs)

    def _gradient(self, loss: Tensor, of: list[Tensor]) -> tuple[Tensor, ...]:
        """Return the gradient of a loss; refuses what takes part in some steps and not in others."""
        found = torch.autograd.grad(loss, of, allow_unused=True)
        if any(own is None for own in found):
            raise CeterisError(
                f"which parameters of {self._name} take part changes from step to step; on a device all have "
                f"to, every time: train on the processor (`--device cpu`)"
            )
        return found

    def _refuse_new_buffers(self) -> None:
        """Refuse a module that puts new tensors in the place of its buffers: they would be lost."""
        try:
            module = deepcopy(self._module).train()
            before = dict(module.named_buffers())
            rows = self._rows_to_try()[0]
            if self._row_shape is not None:
                rows = shaped_rows(rows, self._row_shape, channels_last=False)
            with torch.no_grad(), torch.random.fork_rng(devices=[]), self._lowered():
                module(rows)
        except Exception:
            return  # what cannot be copied or run like this is looked at by those who stack it
        for name, buffer in module.named_buffers():
            if before.get(name) is not buffer:
                raise CeterisError(
                    f"{self._name} puts a new tensor in the place of its buffer `{name}`, which is lost on a "
                    f"device: write into it (`self.{name}.copy_(...)`), or train on the processor "
                    "(`--device cpu`)"
                )

    @property
    def _name(self) -> str:
        layer = self._spec.net.layers[0]
        return f"`{layer.name}`" if isinstance(layer, UserModule) else "the network"

    def _why_not_together(self) -> str:
        """Try all members together on two rows; return why that cannot be, or nothing."""
        kept = {name: buffer.clone() for name, buffer in self._buffers.items()}
        try:
            self._module.train()
            self._dropout.begin(0, 0)
            with self._lowered():
                outputs = self._together(self._rows_to_try())
            outputs.sum().backward()  # type: ignore[no-untyped-call]
        except Exception as error:
            return exception_in_line(error).partition("\n")[0]
        finally:
            self._buffers = kept
            for parameter in self._parameters.values():
                parameter.grad = None
        return ""

    def _parameters_with_gradient(self) -> list[str]:
        """Return the parameters that are trained: neither frozen nor unused."""
        kept = {name: buffer.clone() for name, buffer in self._buffers.items()}
        free = [name for name, p in self._module.named_parameters() if p.requires_grad]
        self._module.train()
        self._dropout.begin(0, 0)
        x = self._rows_to_try()
        with self._lowered():
            outputs = self._together(x) if not self.reason else self._one_by_one(x, 0, 0)
        tensors = [self._parameters[name] for name in free]
        found = torch.autograd.grad(outputs.sum(), tensors, allow_unused=True)
        self._buffers = kept
        return [name for name, gradient in zip(free, found, strict=True) if gradient is not None]

    def _rows_to_try(self) -> Tensor:
        shape = (len(self._diverged), TRIED_ROWS, self._spec.net.n_in)
        return torch.linspace(0, 1, TRIED_ROWS, device=self._device)[None, :, None].expand(shape)


def _shared(modules: list[nn.Module], device: torch.device) -> nn.Module:
    """Return the module whose code is run for all: where any member drops something, it does."""
    shared = modules[0]
    for name, layer in shared.named_modules():
        if isinstance(layer, KeyedDropout):
            layer.rate = there(layer.rate, device)
            layer.p = max(float(module.get_submodule(name).p) for module in modules)  # type: ignore[arg-type]
    return shared.to(device)
