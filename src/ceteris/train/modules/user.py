"""Modules of the user's own: looked at before anything is trained, and made anew for every member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ceteris.draws import stream_key, uniforms
from ceteris.errors import CeterisError, Problem, exception_in_line
from ceteris.nets.architecture import Architecture, UserModule
from ceteris.nets.stacked import StackedNetwork
from ceteris.spec.model import ModuleModel
from ceteris.train.modules.doubts import doubts
from ceteris.train.modules.initial import Factory, make_module
from ceteris.train.modules.layout import module_architecture, row_shape
from ceteris.train.modules.outputs import kind_of_outputs
from ceteris.train.modules.probes import inner_modules
from ceteris.train.plan import ModuleRequest

WHERE = "experiment.model"
LOOKED_AT = 2
"""Rows on which a module is tried."""


@dataclass(frozen=True)
class ModuleStack(StackedNetwork):
    """Members that are modules of the user's own, with the seeds that they were made from.

    ``buffers`` is float64, which holds whole numbers too.
    """

    modules: tuple[nn.Module, ...] = ()
    seeds: tuple[int, ...] = ()

    def set_member(self, index: int, module: nn.Module) -> None:
        """Take the values of a member's module, which was changed, into the stack."""
        self.parameters[index] = flat_tensors(self.architecture, module, parameters=True)
        self.buffers[index] = flat_tensors(self.architecture, module, parameters=False)


def inspect_module(request: ModuleRequest, factory: Factory) -> Architecture:
    """Make a module, try it on two rows forwards and backwards, and return what it consists of.

    Raises:
        CeterisError: with one sentence on why it cannot be trained, and how rows would have to come where
            they do not as it takes them.
    """
    try:
        return _inspected(request, factory)
    except CeterisError as error:
        hint = _better_rows(request, factory)
        raise _refusal(f"{error.problems[0].message}{hint}") from error.__cause__ if hint else error


def _better_rows(request: ModuleRequest, factory: Factory) -> str:
    """Return in what other form a module takes rows, as the end of a sentence; nothing where in none."""
    for form in ("data", "flat", "integers"):
        if form == request.model.input or (form == "integers" and request.whole is None):
            continue
        other = replace(request, model=request.model.model_copy(update={"input": form}))
        with suppress(CeterisError):
            _inspected(other, factory)
            scale = " and `data.scale: none`" if form == "integers" and request.scaled else ""
            return f"; with `model.input: {form}`{scale} it takes them"
    shape = request.shape
    if len(shape) == 3 and shape[0] > shape[2]:
        with suppress(CeterisError):
            _inspected(replace(request, shape=(shape[2], *shape[:2])), factory)
            return (
                f"; it takes images with their channels first, and those of the data are {shape}: turn the "
                "array with `x.transpose(0, 3, 1, 2)`, or begin `forward` with `x = x.permute(0, 3, 1, 2)`"
            )
    return ""


def _inspected(request: ModuleRequest, factory: Factory) -> Architecture:
    model = request.model
    try:
        module = _made(factory, model, 0, look_rows(model, request.shape, request.whole))
    except Exception as error:
        raise _refusal(f"`{model.name}` cannot be made: {exception_in_line(error)}") from error
    if not isinstance(module, nn.Module):
        raise _refusal(f"`{model.name}` gave a value of type {type(module).__name__}, not a torch.nn.Module")
    if not any(p.requires_grad for p in module.parameters()):
        raise _refusal(f"`{model.name}` has no parameters that can be trained")
    if any(p.is_complex() for p in module.parameters()):
        raise _refusal(f"`{model.name}` has complex parameters; Ceteris trains real ones")
    last = _likes_channels_last(module, request)
    outputs = _try(module, request, channels_last=last)
    return module_architecture(
        module,
        model,
        request.shape,
        request.n_out,
        channels_last=last,
        multiplications=_multiplications(module, request),
        hidden=_hidden(module, request, last),
        activations=_activations(module, request),
        outputs=kind_of_outputs(outputs),
    )


def initial_modules(
    net: Architecture,
    factories: Mapping[str, Factory],
    models: Sequence[ModuleModel],
    seeds: Sequence[int],
    absent: Sequence[Sequence[int]] | None = None,
) -> ModuleStack:
    """Make the modules of a stack, each from its seed; ``absent`` as in ``make_module``."""
    modules = []
    for model, seed, lacking in zip(models, seeds, absent or [()] * len(models), strict=True):
        (whole,) = (layer for layer in net.layers if isinstance(layer, UserModule))
        rows = _rows(model, whole.row_shape)
        modules.append(_made(factories[model.name], model, seed, rows, lacking))
    parameters = np.zeros((len(modules), net.n_parameters), np.float32)
    buffers = np.zeros((len(modules), net.n_buffers))
    for place, module in enumerate(modules):
        parameters[place] = flat_tensors(net, module, parameters=True)
        buffers[place] = flat_tensors(net, module, parameters=False)
    none = np.zeros((len(modules), 0))
    return ModuleStack(net, parameters, buffers, none, tuple(modules), tuple(seeds))


def remade_module(
    model: ModuleModel,
    factory: Factory,
    shape: tuple[int, ...],
    seed: int,
    tensors: Mapping[str, NDArray[Any]],
) -> nn.Module:
    """Make a module once more, with the parameters and buffers that are given by name, for evaluation.

    Raises:
        CeterisError: where the tensors are not those of the module.
    """
    module = made_module(model, factory, shape, seed)
    saved = module.state_dict(keep_vars=True)
    own: dict[str, Tensor] = dict(module.named_parameters())
    own |= {name: buffer for name, buffer in module.named_buffers() if name in saved}
    fits = own.keys() == tensors.keys() and all(tuple(t.shape) == tensors[n].shape for n, t in own.items())
    if not fits:
        raise CeterisError(f"the recorded weights are not those of `{model.name}` as it is made now")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.from_numpy(np.array(tensors[name])))
    evaluated: nn.Module = module.eval()
    return evaluated


def made_module(model: ModuleModel, factory: Factory, shape: tuple[int, ...], seed: int) -> nn.Module:
    """Make a module that was looked at before, with its initial weights, for rows of data of a shape."""
    module: nn.Module = _made(factory, model, seed, look_rows(model, shape))
    return module


def notes_on_module(request: ModuleRequest, factory: Factory) -> tuple[str, ...]:
    """Return what is doubtful about a module that was looked at; see ``doubts``."""
    model, shape = request.model, request.shape
    rows = look_rows(model, shape, request.whole)
    return doubts(model.name, made_module(model, factory, shape, 0), rows, scaled=request.scaled)


def look_rows(model: ModuleModel, shape: tuple[int, ...], whole: tuple[int, int] | None = None) -> Tensor:
    """Return two rows of uniform numbers in the shape that a module takes.

    For one that takes integers they are whole numbers from the smallest to the largest, both of them there
    (``whole``; all 0 where these are not known).
    """
    return _rows(model, row_shape(model, shape), whole)


def _made(factory: Factory, model: ModuleModel, seed: int, rows: Tensor, lacking: Sequence[int] = ()) -> Any:
    """Make a module of a seed; one that is to have integers makes them of the rows that it is called on."""
    if model.input != "integers":
        return make_module(factory, model.arguments, seed, rows, lacking)
    module = make_module(factory, model.arguments, seed, rows.long(), lacking)
    if isinstance(module, nn.Module):
        module.register_forward_pre_hook(as_integers)
    return module


def as_integers(module: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give a module its rows, whole numbers in float32, as int64."""
    rows, *others = given
    return rows.long(), *others


def flat_tensors(net: Architecture, module: nn.Module, *, parameters: bool) -> NDArray[np.float64]:
    """Return a module's parameters, or the buffers that it saves, as one flat vector in float64."""
    named: dict[str, Tensor] = dict(module.named_parameters() if parameters else module.named_buffers())
    tensors = net.parameters if parameters else net.buffers
    found = [named[tensor.name].detach().cpu().double().reshape(-1).numpy() for tensor in tensors]
    return np.concatenate(found) if found else np.zeros(0)


def shaped_rows(rows: Tensor, shape: tuple[int, ...], *, channels_last: bool) -> Tensor:
    """Give flat rows (n, features) the shape that a module expects, (n, *shape)."""
    if channels_last and shape[0] == 1:
        return rows.reshape(-1, *shape[1:], 1).permute(0, 3, 1, 2)
    shaped = rows.reshape(-1, *shape)
    return shaped.contiguous(memory_format=torch.channels_last) if channels_last else shaped


def as_table(outputs: Tensor) -> Tensor:
    """Return outputs as (rows, outputs) where a module with one output gives (rows,)."""
    return outputs[:, None] if outputs.dim() == 1 else outputs


def _likes_channels_last(module: nn.Module, request: ModuleRequest) -> bool:
    """Tell whether a module of convolutions on images runs where their channels lie together in memory."""
    images = len(row_shape(request.model, request.shape)) == 3
    if not images or not any(isinstance(layer, nn.Conv2d) for layer in module.modules()):
        return False
    try:
        outputs = _outputs(module.train(), request, channels_last=True)
        torch.autograd.grad(
            outputs.sum(), [p for p in module.parameters() if p.requires_grad], allow_unused=True
        )
    except Exception:
        return False
    return True


def _try(module: nn.Module, request: ModuleRequest, *, channels_last: bool) -> Tensor:
    """Return the outputs (2, k) for two rows; raises CeterisError for what cannot be trained."""
    name = request.model.name
    outputs = _try_in(module.train(), f"`{name}`", request, channels_last=channels_last)
    with torch.no_grad():
        _try_in(module.eval(), f"in evaluation mode `{name}`", request, channels_last=channels_last)
    module.train()
    try:
        gradients = torch.autograd.grad(
            as_table(outputs).sum(), [p for p in module.parameters() if p.requires_grad], allow_unused=True
        )
    except Exception as error:
        raise _refusal(f"`{name}` has no gradient: {exception_in_line(error)}") from error
    if all(gradient is None for gradient in gradients):
        raise _refusal(f"no parameter of `{name}` takes part in its outputs, so nothing would be learned")
    return as_table(outputs)


def _try_in(module: nn.Module, told: str, request: ModuleRequest, *, channels_last: bool) -> Tensor:
    rows = f"two rows of shape {(LOOKED_AT, *row_shape(request.model, request.shape))}"
    if request.model.input == "integers" and request.whole is not None:
        rows += f" with whole numbers from {request.whole[0]} to {request.whole[1]}, as the data has them"
    try:
        outputs = _outputs(module, request, channels_last=channels_last)
    except Exception as error:
        raise _refusal(f"{told} fails on {rows}: {exception_in_line(error)}") from error
    if not isinstance(outputs, Tensor):
        kind = type(outputs).__name__
        raise _refusal(f"{told} returns a {kind}; it must return one tensor of shape (rows, outputs)")
    _check_outputs(outputs, told, request)
    return outputs


def _hidden(module: nn.Module, request: ModuleRequest, last: bool) -> tuple[str, ...]:
    shape = row_shape(request.model, request.shape)
    own = _rows(request.model, shape, request.whole)
    rows = shaped_rows(own.flatten(1), shape, channels_last=last)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        return inner_modules(module.train(), rows)


def _multiplications(module: nn.Module, request: ModuleRequest) -> int:
    """Count the multiplications of products and convolutions that one row takes; at least the parameters."""
    with FlopCounterMode(display=False) as counter:
        _outputs(module.train(), request, channels_last=False)
    # A multiplication and an addition count as two operations.
    counted: int = counter.get_total_flops() // (2 * LOOKED_AT)
    return max(counted, sum(p.numel() for p in module.parameters()))


def _activations(module: nn.Module, request: ModuleRequest) -> int:
    """Count the numbers of 4 bytes that one row leaves behind for the way backwards, each memory once."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        outputs = _outputs(module.train(), request, channels_last=False)
    return (sum(kept.values()) + outputs.nbytes) // (4 * LOOKED_AT)


def _check_outputs(outputs: Tensor, name: str, request: ModuleRequest) -> None:
    wanted = LOOKED_AT, request.n_out
    fits = tuple(outputs.shape) == wanted or (request.n_out == 1 and tuple(outputs.shape) == (LOOKED_AT,))
    if not fits:
        meaning = "one logit for each class" if request.classes else "one for each target"
        raise _refusal(
            f"{name} gives outputs of shape {tuple(outputs.shape)} for two rows; "
            f"the data needs {wanted}, {meaning}"
        )
    if not outputs.is_floating_point():
        raise _refusal(f"{name} gives outputs of type {outputs.dtype}; they must be real numbers")
    if not bool(torch.isfinite(outputs).all()):
        raise _refusal(f"{name} gives NaN or infinite outputs from its initial weights")


def _outputs(module: nn.Module, request: ModuleRequest, *, channels_last: bool) -> Tensor:
    shape = row_shape(request.model, request.shape)
    own = _rows(request.model, shape, request.whole)
    rows = shaped_rows(own.flatten(1), shape, channels_last=channels_last)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        outputs: Tensor = module(rows)
    return outputs


def _rows(model: ModuleModel, shape: tuple[int, ...], whole: tuple[int, int] | None = None) -> Tensor:
    drawn = uniforms(stream_key(0, "look"), LOOKED_AT, int(np.prod(shape, dtype=np.int64)))
    if model.input == "integers":
        low, high = whole or (0, 0)
        drawn = np.floor(low + drawn * (high - low + 1))
        drawn[0, :1], drawn[-1, -1:] = low, high
    return torch.from_numpy(drawn.astype(np.float32)).reshape(LOOKED_AT, *shape)


def _refusal(message: str) -> CeterisError:
    return CeterisError(Problem(message, where=WHERE))
