"""How the loss is scaled in ``float16``, on every device: the rules of ``torch.amp.GradScaler``.

Its range is so small that gradients vanish in it, so the loss is scaled up before its gradient is taken and
the gradient scaled down again, each member by a scale of its own. A gradient that is not finite is left out.
"""

FIRST_SCALE = 2.0**16
GROWTH = 2.0
BACKOFF = 0.5
GROWTH_STEPS = 2000
"""After so many steps in a row whose gradient was finite the scale grows."""
