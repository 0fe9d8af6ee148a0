"""One member trained by plain PyTorch: nn.Sequential, torch.optim, torch's schedulers and utilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler

from ceteris.nets.architecture import architecture
from ceteris.nets.stacked import StackedNetwork, initial_stack
from ceteris.spec.experiment import Experiment
from ceteris.train.cpu.engine import CompiledEngine
from ceteris.train.engine import Engine, Feed, StackSpec
from ceteris.train.modules.engine import ModuleEngine
from ceteris.train.objective import class_weights
from ceteris.train.schedules import Schedules
from ceteris.train.tensor.engine import TensorEngine


class ScaledSigmoid(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 4 * x.sigmoid() - 2


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "softplus": nn.Softplus,
    "hardtanh": nn.Hardtanh,
    "identity": nn.Identity,
    "scaled_sigmoid": ScaledSigmoid,
}


class RootPlusEps(nn.BatchNorm1d):
    """Batch norm by the formula (x - mean) / (sqrt(var) + eps), in training."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / (x.var(0, correction=0).sqrt() + self.eps) * self.weight + self.bias


class Residual(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


OUTPUTS: dict[str, Callable[[], nn.Module]] = {
    "softmax": lambda: nn.Softmax(dim=1),
    "log_softmax": lambda: nn.LogSoftmax(dim=1),
}


def network(experiment: Experiment, member: nn.Module, n_in: int, n_out: int) -> nn.Sequential:
    """Build the network by hand, with the member's initial tensors in order."""
    model, width, blocks = experiment.model, n_in, []
    widths = getattr(model, "hidden", ())
    given = getattr(model, "batch_norm", False)
    normalised = given if isinstance(given, tuple) else [given] * len(widths)
    for hidden, batch_norm in zip(widths, normalised, strict=True):
        layers: list[nn.Module] = []
        layers.append(nn.Linear(width, hidden, bias=model.bias))
        if batch_norm:
            norm = RootPlusEps if model.batch_norm_eps_place == "outside" else nn.BatchNorm1d
            layers.append(norm(hidden, eps=model.batch_norm_eps))
        if model.layer_norm:
            layers.append(nn.LayerNorm(hidden))
        layers.append(ACTIVATIONS[model.activation]())
        blocks += [Residual(*layers)] if model.residual and width == hidden else layers
        width = hidden
    outputs = [(OUTPUTS | ACTIVATIONS)[name]() for name in model.output]
    built = nn.Sequential(*blocks, nn.Linear(width, n_out, bias=model.bias), *outputs).double()
    with torch.no_grad():
        for own, start in zip(built.parameters(), member.parameters(), strict=True):
            own.copy_(start)
    return built


def convolutional(
    experiment: Experiment, member: nn.Module, image: tuple[int, int, int], n_out: int
) -> nn.Sequential:
    """Build the convolutional network by hand for images (channels, height, width), as ``network`` does."""
    model, (channels, *extent) = experiment.model, image
    act, layers = ACTIVATIONS[model.activation], [nn.Unflatten(1, image)]
    for width in model.convolutions:
        layers.append(nn.Conv2d(channels, width, model.kernel, padding=model.kernel // 2, bias=model.bias))
        layers += [nn.BatchNorm2d(width, eps=model.batch_norm_eps)] if model.batch_norm else []
        layers += [act(), nn.MaxPool2d(model.pool)]
        channels, extent = width, [side // model.pool for side in extent]
    layers.append(nn.Flatten())
    size = channels * extent[0] * extent[1]
    for width in model.hidden:
        layers.append(nn.Linear(size, width, bias=model.bias))
        layers += [nn.BatchNorm1d(width, eps=model.batch_norm_eps)] if model.batch_norm else []
        layers.append(act())
        size = width
    outputs = [(OUTPUTS | ACTIVATIONS)[name]() for name in model.output]
    built = nn.Sequential(*layers, nn.Linear(size, n_out, bias=model.bias), *outputs).double()
    with torch.no_grad():
        for own, start in zip(built.parameters(), member.parameters(), strict=True):
            own.copy_(start)
    return built


def _groups(experiment: Experiment, module: nn.Sequential) -> list[dict[str, Any]]:
    spec = experiment.optimizer
    weights, biases, norms = [], [], []
    for layer in module.modules():
        for name, parameter in layer.named_parameters(recurse=False):
            of_norm = isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm)
            kind = norms if of_norm else weights if name == "weight" else biases
            kind.append(parameter)
    groups = []
    for parameters, own in ((weights, None), (biases, spec.biases), (norms, spec.norms)):
        lr = spec.lr if own is None or own.lr is None else own.lr
        decay = spec.weight_decay if own is None or own.weight_decay is None else own.weight_decay
        if parameters:
            groups.append({"params": parameters, "lr": lr, "weight_decay": decay})
    return groups


def optimizer(experiment: Experiment, module: nn.Sequential) -> torch.optim.Optimizer:
    spec = experiment.optimizer
    options = spec.model_dump(exclude={"kind", "biases", "norms", "lr", "weight_decay"})
    if spec.kind in ("adam", "adamw"):
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    names = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "adagrad": "Adagrad"}
    return getattr(torch.optim, names[spec.kind])(_groups(experiment, module), **options)


def scheduler(
    experiment: Experiment, optimizing: torch.optim.Optimizer, steps: int
) -> lr_scheduler.LRScheduler | None:
    """The schedule without warm-up; None for a constant rate."""
    spec = experiment.schedule
    match spec.kind:
        case "step":
            return lr_scheduler.StepLR(optimizing, spec.step_size, spec.gamma)
        case "multi_step":
            return lr_scheduler.MultiStepLR(optimizing, list(spec.milestones), spec.gamma)
        case "exponential":
            return lr_scheduler.ExponentialLR(optimizing, spec.gamma)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizing, spec.period or experiment.epochs, spec.min_lr)
        case "one_cycle":
            return lr_scheduler.OneCycleLR(
                optimizing,
                [group["lr"] for group in optimizing.param_groups],
                total_steps=experiment.epochs * steps,
                pct_start=spec.pct_start,
                anneal_strategy=spec.anneal,
                div_factor=spec.div_factor,
                final_div_factor=spec.final_div_factor,
                three_phase=spec.three_phase,
                cycle_momentum=False,
            )
    return None


def penalty(experiment: Experiment, module: nn.Sequential) -> Tensor:
    """The penalty as a user would write it, from its documentation."""
    spec = experiment.penalty
    total = torch.zeros((), dtype=torch.float64)
    for term in spec.terms if spec.kind == "several" else [spec] if spec.kind != "none" else []:
        for parameter in module.parameters():
            if term.on == "weights" and parameter.ndim < 2:
                continue
            numbers = parameter.abs() if term.kind == "l1" else parameter.square()
            amount = numbers.mean() if term.form == "mean" else numbers.sum()
            total = total + term.weight * (parameter.norm() if term.form == "norm" else amount)
    return total


def criterion(experiment: Experiment, weights: np.ndarray) -> Callable[[Tensor, Tensor], Tensor]:
    beta, binary = experiment.loss_beta, nn.BCEWithLogitsLoss()
    plain: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "mse": squared(nn.MSELoss()),
        "mse_half": squared(lambda outputs, targets: 0.5 * (outputs - targets).square().mean()),
        "nll": nn.NLLLoss(),
        "binary_cross_entropy_probabilities": lambda p, labels: nn.functional.binary_cross_entropy(
            p[:, 0], labels.double()
        ),
        "hinge": lambda z, labels: (1 - (2 * labels - 1) * z[:, 0]).clamp(min=0).mean(),
        "perceptron": lambda z, labels: (-(2 * labels - 1) * z[:, 0]).clamp(min=0).mean(),
        "l1": nn.L1Loss(),
        "smooth_l1": nn.SmoothL1Loss(beta=beta),
        "huber": nn.HuberLoss(delta=beta),
        "binary_cross_entropy": lambda outputs, labels: binary(outputs[:, 0], labels.double()),
    }
    return plain.get(experiment.loss) or cross_entropy(experiment, weights)


def squared(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """With classes, the loss against one-hot targets."""

    def against(outputs: Tensor, targets: Tensor) -> Tensor:
        if not targets.is_floating_point():
            targets = nn.functional.one_hot(targets, outputs.shape[1]).double()
        return loss(outputs, targets)

    return against


def cross_entropy(experiment: Experiment, weights: np.ndarray) -> Callable[[Tensor, Tensor], Tensor]:
    given = None if experiment.class_weights is None else torch.from_numpy(weights)
    smoothing = experiment.label_smoothing
    if experiment.smoothing_convention == "shared":
        # The definition: 1 - e for the right class, e / (c - 1) for each other.
        def shared(outputs: Tensor, labels: Tensor) -> Tensor:
            classes = outputs.shape[1]
            aims = torch.full_like(outputs, smoothing / (classes - 1))
            aims[torch.arange(len(labels)), labels] = 1 - smoothing
            own = torch.ones(classes, dtype=torch.float64) if given is None else given
            each = -(own * aims * outputs.log_softmax(1)).sum(1)
            return each.sum() / own[labels].sum()

        return shared if smoothing > 0 else nn.CrossEntropyLoss(weight=given)
    return nn.CrossEntropyLoss(weight=given, label_smoothing=smoothing)


def train(
    experiment: Experiment,
    module: nn.Sequential,
    x: np.ndarray,
    y: np.ndarray,
    orders: Sequence[np.ndarray],
) -> None:
    """The usual loop over the rows that ``orders`` names, one order per epoch."""
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    classes = int(y.max()) + 1 if y.dtype == np.int64 else 1
    loss_function = criterion(experiment, class_weights(experiment, y, classes))
    optimizing = optimizer(experiment, module)
    steps = -(-len(orders[0]) // experiment.batch_size)
    schedule = scheduler(experiment, optimizing, steps)
    module.train()
    for order in orders:
        for begin in range(0, len(order), experiment.batch_size):
            rows = torch.from_numpy(order[begin : begin + experiment.batch_size])
            optimizing.zero_grad()
            loss = loss_function(module(inputs[rows]), targets[rows]) + penalty(experiment, module)
            loss.backward()
            if experiment.clip.norm is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), experiment.clip.norm)
            if experiment.clip.to_norm is not None:
                norm = torch.cat([p.grad.reshape(-1) for p in module.parameters()]).norm()
                for parameter in module.parameters():
                    parameter.grad *= experiment.clip.to_norm / norm
            if experiment.clip.value is not None:
                torch.nn.utils.clip_grad_value_(module.parameters(), experiment.clip.value)
            optimizing.step()
            if schedule is not None and experiment.schedule.kind == "one_cycle":
                schedule.step()
        if schedule is not None and experiment.schedule.kind != "one_cycle":
            schedule.step()


def stack_of(
    experiments: Sequence[Experiment], n_in: int, n_out: int, shape: tuple[int, ...] | None = None
) -> StackedNetwork:
    net = architecture(experiments[0].model, n_in, n_out, shape)
    return initial_stack(net, [e.model for e in experiments], list(range(len(experiments))), np.float64)


def engine_of(kind: str, spec: StackSpec, stack: StackedNetwork) -> Engine:
    if stack.architecture.runs_as_module:
        return ModuleEngine(spec, stack)
    return CompiledEngine(spec, stack) if kind == "compiled" else TensorEngine(spec, stack, "cpu")


def run(
    kind: str,
    experiments: Sequence[Experiment],
    stack: StackedNetwork,
    x: np.ndarray,
    y: np.ndarray,
    orders: Sequence[np.ndarray],
    columns: Sequence[int] = (),
) -> Engine:
    """Train a stack of all experiments by an engine of ours, on the same rows, which may be padded."""
    batch = experiments[0].batch_size
    steps = -(-len(orders[0]) // batch)
    members = len(experiments)
    spec = StackSpec(
        net=stack.architecture,
        loss=experiments[0].loss,
        batch_size=batch,
        steps=steps,
        experiments=tuple(experiments),
        rates=stack.rates,
        keys=np.zeros((members, stack.architecture.n_slots, 2), np.uint32),
        class_weights=np.stack([class_weights(e, y, stack.architecture.n_out) for e in experiments]),
        feeds=(Feed(x, y, np.arange(members)),),
        columns=tuple(columns),
    )
    engine = engine_of(kind, spec, stack)
    schedules = Schedules(experiments, steps)
    for epoch, order in enumerate(orders):
        engine.begin_epoch(epoch, [order], schedules.rates(epoch))
        engine.run_steps(0, steps, np.ones(members, dtype=np.bool_))
    return engine
