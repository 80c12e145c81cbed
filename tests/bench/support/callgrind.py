"""Instructions that a process executes outside the kernel, counted by valgrind's callgrind. Other
load on the machine does not change them."""

import asyncio
import os
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
"""The names of valgrind's pipes have the variable HOST in them: so a process under it and those who
control it need the same one."""


def counted(counts: Path) -> tuple[str, ...]:
    """What stands before a command whose instructions are counted in the file `counts`, with a
    number added for each dump, once that is turned on by `control`."""
    options = ("--quiet", "--tool=callgrind", "--instr-atstart=no")
    return ("valgrind", *options, f"--callgrind-out-file={counts}")


async def control(pid: int, command: str) -> None:
    """Give callgrind a command, such as `--instr=on`, for the process that it runs."""
    devnull = asyncio.subprocess.DEVNULL
    child = await asyncio.create_subprocess_exec(
        *("callgrind_control", command, str(pid)),
        env={"PATH": os.environ["PATH"], "HOST": HOST},
        stdout=devnull,
        stderr=devnull,
    )
    assert await child.wait() == 0, command


def dumped(counts: Path, number: int) -> int:
    """The instructions of the `number`-th dump, from 1."""
    lines = Path(f"{counts}.{number}").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("totals:")).split()[1])
