"""How much is tried: a fixed number of examples, the same in every run, or many new ones."""

import os
from typing import Final

from hypothesis import HealthCheck, Phase, settings

FIXED_EXAMPLES: Final = 30

_wanted = os.environ.get("FUZZ_EXAMPLES")

budget: Final = settings(
    max_examples=int(_wanted or FIXED_EXAMPLES),
    derandomize=_wanted is None,
    deadline=None,  # a busy machine is no fault of the server
    suppress_health_check=[HealthCheck.too_slow],
    # What is broken may stay broken: then the smallest example that fails says nothing.
    phases=[Phase.explicit, Phase.generate],
)
"""Decorates a test: FUZZ_EXAMPLES new examples of it, or the fixed ones if that is not set."""
