"""Parameters by name: read, set by hand, with their gradients; saved and loaded.

python docs/examples/parameters.py
"""

import numpy as np
import torch

import ceteris

experiment = ceteris.Experiment(
    data="digits",
    model={"kind": "mlp", "hidden": [16]},
    optimizer={"kind": "sgd", "lr": 0.1},
    epochs=3,
)

# Every parameter by name, before and after training, and the gradient of the loss by each.
trial = ceteris.run(experiment, seeds=1).trials[0]
x, y = np.random.default_rng(0).integers(0, 17, size=(4, 8, 8)), np.array([0, 1, 2, 3])
gradients = trial.gradients(x, y)
for name, values in trial.parameters().items():
    before = trial.parameters("initial")[name]
    print(f"{name:24} {values.shape!s:10} from {before.std():.4f} to {values.std():.4f}, ", end="")
    print(f"gradient {np.abs(gradients[name]).max():.4f}")

# Single parameters set by hand; a function of one's own; the weights of another network.
by_hand = ceteris.run(experiment, seeds=1, initial={"head.bias": np.linspace(-1, 1, 10)})
print("set by hand:", by_hand.trials[0].parameters("initial")["head.bias"].round(2))


def orthogonal(module: torch.nn.Module) -> None:
    if isinstance(module, torch.nn.Linear):
        torch.nn.init.orthogonal_(module.weight)


own = ceteris.run(experiment, seeds=1, initial=orthogonal).trials[0]
weight = own.parameters("initial")["hidden.0.linear.weight"]
print("orthogonal:", np.allclose(weight @ weight.T, np.eye(16), atol=1e-5))

further = ceteris.run(experiment, seeds=1, initial=trial.parameters()).trials[0]
same = all(np.array_equal(v, trial.parameters()[k]) for k, v in further.parameters("initial").items())
print("goes on from the weights of another:", same)

# An ordinary PyTorch module: tensors, lists and dictionaries of them are saved and loaded as always.
network = trial.network()
torch.save(network.state_dict(), "net.pt")
again = trial.network("initial")
again.load_state_dict(torch.load("net.pt"))
rows = trial.prepare(x)
print("the same outputs after loading:", torch.equal(network(rows), again(rows)))
torch.save({"rows": [rows, rows], "step": torch.tensor(3)}, "tensors.pt")
print("a dictionary of tensors:", torch.load("tensors.pt").keys())
