"""Which engine trains modules: one after another on the processor, stacked on a device."""

from __future__ import annotations

from ceteris.nets.architecture import UserModule
from ceteris.nets.stacked import StackedNetwork
from ceteris.train.engine import Engine, StackSpec
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.modules.stacked import StackedModuleEngine


def module_engine(spec: StackSpec, stack: StackedNetwork, device: str) -> Engine:
    """Return the engine for a stack of modules; says so where a device trains it otherwise than stacked."""
    if device == "cpu":
        return ModuleEngine(spec, stack)
    if spec.optimizers[0].kind == "newton":
        print("Newton's step is taken on the processor, which alone computes second derivatives")
        return ModuleEngine(spec, stack)
    engine = StackedModuleEngine(spec, stack, device)
    names = [layer.name for layer in spec.net.layers if isinstance(layer, UserModule)]
    name = f"`{names[0]}`" if names else "the network"
    if engine.reason:
        print(f"{name} is trained one member after another, not stacked: {engine.reason}")
    elif device.startswith("cuda") and engine.not_recorded:
        print(f"steps of {name} are done one by one, not from CUDA graphs: {engine.not_recorded}")
    return engine
