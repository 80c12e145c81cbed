"""How far a long command is: a line on stderr, on a terminal only, gone when it is done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]
"""Reports that so many more are done."""


@contextmanager
def progress(what: str, total: int | None = None, *, shown: bool = True) -> Iterator[Advance]:
    """Counts `what` while the context lasts, of `total` if that is known. What the command prints
    on stdout is left alone."""
    if not (shown and sys.stderr.isatty()):
        yield lambda _more: None
        return
    # Imported only where it is shown: it is as much as all else that a command imports.
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    count = "{task.completed:,.0f}" + (f" of {total:,}" if total is not None else "")
    columns = (SpinnerColumn(), TextColumn(f"{count} {what}"), TimeElapsedColumn())
    with Progress(
        *columns,
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda more: bar.advance(task, more)
