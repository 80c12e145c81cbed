import sys

from tests.bench.support.usage import run

SPEND = "import time; kept = b'x' * 50_000_000; end = time.process_time() + 0.3\n"
SPEND += "while time.process_time() < end: pass\n"
# What uses up its CPU and ends at once may have ended before its memory is looked at again.
SPEND += "time.sleep(8); print(len(kept), flush=True); raise SystemExit(3)"


def test_what_a_command_takes_is_its_own() -> None:
    ours = b"x" * 200_000_000  # which is not to be counted
    done = run([sys.executable, "-c", SPEND])
    assert done.exit_code == 3
    assert done.output == "50000000\n"
    assert done.elapsed_seconds >= done.cpu_seconds >= 0.3
    assert 50_000_000 < done.peak_bytes < len(ours)
