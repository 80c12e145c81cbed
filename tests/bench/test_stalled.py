"""The bench works. No time is judged here."""

from tests.bench.fanout.work import Shape
from tests.bench.stalled import measure


def test_those_who_read_are_timed_while_others_do_not() -> None:
    late = measure(Shape(20, 10), seconds=1.0, server_core=None, stalls=True)

    assert 0 < late.p50_ms <= late.p99_ms
    assert late.cut == 0  # so little does not fill a buffer
