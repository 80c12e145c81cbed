"""How many examples the rules are tried with: `HYPOTHESIS_PROFILE=long` tries many more.

Those take minutes: give pytest `--timeout 3600` with them.
"""

import os

from hypothesis import settings

# No deadline: a busy machine is no fault of the rules.
settings.register_profile("default", deadline=None, max_examples=50, stateful_step_count=40)
settings.register_profile("long", deadline=None, max_examples=2_000, stateful_step_count=60)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
