"""Training in tests runs under the numerics of a worker; they have to be set before NumPy loads."""

import os
import sys

from ceteris.train import numerics

assert "numpy" not in sys.modules, "NumPy was loaded before the numerics were set"
os.environ.update(numerics.environment())
