"""The processor time of sending an event to a client, by our server beside others, to rooms of ten
and to each client by itself:

    python -m tests.bench.fanout [SLICES [SLICE_SECONDS]]

The servers share a core and take turns of SLICE_SECONDS, 0.4 if not given, SLICES times, 20 if not
given; all clients are on another core. Linux only. A line for each size of rooms is added to
tests/bench/results.jsonl.
"""

import sys
from typing import Final

from server.load.descriptors import raise_limit
from tests.bench.fanout.contenders import IN_PYTHON, in_javascript
from tests.bench.fanout.measure import measure
from tests.bench.fanout.results import append_line, kept, table
from tests.bench.fanout.work import Shape
from tests.bench.support.cores import OTHER_CORE, SERVER_CORE, move_to

SHAPES: Final = (Shape(sockets=1000, room_size=10), Shape(sockets=1000, room_size=1))


def main() -> None:
    """Measure the servers in Python, and those for Node if it is installed."""
    defaults = ("20", "0.4")
    given = sys.argv[1:]
    slices, slice_seconds = [*given, *defaults[len(given) :]]
    contenders = (*IN_PYTHON, *in_javascript())
    move_to(OTHER_CORE)
    raise_limit(len(contenders) * max(shape.sockets for shape in SHAPES))
    for shape in SHAPES:
        slices_of = measure(
            contenders,
            shape,
            slices=int(slices),
            slice_seconds=float(slice_seconds),
            server_core=SERVER_CORE,
        )
        sys.stdout.write(
            f"\n{shape.sockets} clients in rooms of {shape.room_size}\n{table(slices_of)}\n"
        )
        append_line("fanout", kept(shape, slices_of))


if __name__ == "__main__":
    main()
