"""`python -m tests.bench.fanout [SLICES [SLICE_SECONDS]]`: how much processor time it takes to send
an event to a client, ours beside other servers, in rooms of ten and to each client by itself.

On Linux. The servers run on the first core, all clients on the last; a line for each shape is
added to tests/bench/results.jsonl.
"""

import os
import sys
from typing import Final

from server.load.descriptors import raise_limit
from tests.bench.fanout.contenders import IN_PYTHON, in_javascript
from tests.bench.fanout.measure import measure
from tests.bench.fanout.results import append_line, summary, table
from tests.bench.fanout.work import Shape

SHAPES: Final = (Shape(sockets=1000, room_size=10), Shape(sockets=1000, room_size=1))


def main() -> None:
    """Measure all that can be had here."""
    defaults = ("20", "0.4")
    given = sys.argv[1:]
    slices, slice_seconds = [*given, *defaults[len(given) :]]
    contenders = (*IN_PYTHON, *in_javascript())
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    raise_limit(len(contenders) * max(shape.sockets for shape in SHAPES))
    for shape in SHAPES:
        runs = measure(
            contenders,
            shape,
            slices=int(slices),
            slice_seconds=float(slice_seconds),
            server_core=cores[0],
        )
        sys.stdout.write(
            f"\n{shape.sockets} clients in rooms of {shape.room_size}\n{table(runs)}\n"
        )
        append_line("fanout", summary(shape, runs))


if __name__ == "__main__":
    main()
