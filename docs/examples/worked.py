"""The worked examples of the notes with their numbers, by ``ceteris.scratch`` and by torch.

python docs/examples/worked.py
"""

import math

import torch
from torch.nn import functional

from ceteris.scratch import functions as scratch

LOGITS = torch.tensor(
    [
        [-1.4925, -1.4033, 0.8390, -1.6440, 1.5562],
        [2.0672, -0.3932, -1.2632, 0.6108, 1.3722],
        [-1.5822, -0.0761, 0.3674, -1.7704, 0.1582],
    ]
)
LABELS = torch.tensor([0, 3, 4])
Z, TARGETS = torch.tensor([1.70, -0.38, 2.14]), torch.tensor([0.0, 1.0, 0.0])
Y, GUESS = torch.tensor([2.0, 3.2, 1.9]), torch.tensor([2.1, 3.1, 1.8])
ONE, OTHER = torch.tensor([1.0, 0.0]), torch.tensor([0.4, 0.6])


def row(what: str, expected: float, ours: object, theirs: object) -> None:
    print(f"{what:34} {expected:9.5f} {float(ours):9.5f} {float(theirs):9.5f}")


print(f"{'':34} {'expected':>9} {'scratch':>9} {'torch':>9}")
theirs = functional.nll_loss(torch.tensor([[0.7]]).log(), torch.tensor([0]))
row("-log 0.7", 0.3567, -math.log(0.7), theirs)
theirs = functional.cross_entropy(LOGITS, LABELS)
row("cross-entropy of logits", 2.27229, scratch.cross_entropy(LOGITS, LABELS), theirs)
binary = functional.binary_cross_entropy_with_logits(Z, TARGETS)
row("binary cross-entropy of logits", 1.67337, scratch.binary_cross_entropy(Z, TARGETS), binary)
binary = functional.binary_cross_entropy(Z.sigmoid(), TARGETS)
row("  of probabilities", 1.67337, scratch.binary_cross_entropy(Z, TARGETS), binary)
row("L1", 0.1, scratch.absolute_loss(GUESS, Y), functional.l1_loss(GUESS, Y))
row("L2", 0.01, 2 * scratch.squared_loss(GUESS, Y), functional.mse_loss(GUESS, Y))
row("smooth L1", 0.18, scratch.smooth_l1_loss(OTHER, ONE), functional.smooth_l1_loss(OTHER, ONE))
layer = torch.nn.Linear(3, 3)
row("parameters of 3 units on 3 inputs", 12, 3 * 3 + 3, sum(p.numel() for p in layer.parameters()))
pair = torch.stack([torch.zeros(3), Z], dim=1)
row(
    "sigmoid(z) as softmax over (0, z)",
    Z[0].sigmoid(),
    scratch.softmax(pair)[0, 1],
    pair.softmax(dim=1)[0, 1],
)

x = torch.arange(16.0).reshape(2, 8)
for p in (0.0, 0.5, 1.0):
    print(f"dropout of 0 to 15 with p = {p:g}: {functional.dropout(x, p).tolist()}")
mean = torch.stack([functional.dropout(x, 0.5) for _ in range(20_000)]).mean(dim=0)
print(f"largest distance of the mean of 20,000 masks from x: {(mean - x).abs().max():.2f}")
