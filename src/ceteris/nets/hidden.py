"""The hidden layers of a network: where its activations are measured."""

from __future__ import annotations

from ceteris.nets.architecture import OUTPUT, Activate, Architecture
from ceteris.nets.layers import Composition, UserModule


def hidden_layers(net: Architecture) -> tuple[str, ...]:
    """Return the names of a network's hidden layers from the data to the output.

    A built-in network's are its roles that end in an activation (``hidden.0``, ``convolutions.1``); a
    composed network's are its activations by their paths (``layers.1``); of a module of the user's own they
    are its innermost modules by their paths (``body.2``), but for the one that gives the output and those
    that only drop, pool or reshape.
    """
    for layer in net.layers:
        if isinstance(layer, UserModule):
            return layer.hidden
        if isinstance(layer, Composition):
            return tuple(piece.role for piece in layer.pieces if isinstance(piece, Activate))
    return tuple(layer.role for layer in net.layers if isinstance(layer, Activate) and layer.role != OUTPUT)


def hidden_modules(net: Architecture) -> tuple[str, ...]:
    """Return the path of each hidden layer's last module in the running network, in the same order."""
    if any(isinstance(layer, UserModule | Composition) for layer in net.layers):
        return hidden_layers(net)
    return tuple(f"{role}.activation" for role in hidden_layers(net))
