"""An installation without the extra `books` runs, and says what is missing where it is wanted."""

import sys
from pathlib import Path

from server.dev.ports import free_port
from tests.support.process import StartProcess

_WITHOUT = """
import sys
sys.modules |= dict.fromkeys(("sqlalchemy", "psycopg", "alembic"))
from server.cli.main import main
main()
"""


async def test_what_needs_no_books_runs_without_their_extra_and_the_rest_says_so_in_a_line(
    variables: dict[str, str], start_process: StartProcess, tmp_path: Path
) -> None:
    program = tmp_path / "fair_bingo_without_books.py"
    program.write_text(_WITHOUT)

    async def run(*arguments: str, **more: str) -> tuple[int, str]:
        process = start_process(sys.executable, str(program), *arguments, **variables | more)
        return await process.wait(), process.output

    code, output = await run("audit")
    assert (code, "The ledger holds." in output) == (0, True), output
    server = start_process(sys.executable, str(program), "serve", **variables)
    await server.wait_for_line('"event": "ready"')
    server.terminate()
    assert await server.wait() == 0
    books = {"DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/books"}
    for command in ("migrate", "archive", "serve"):
        code, output = await run(command, **books)
        assert code == 2, output
        assert "DATABASE_URL needs fair-bingo[books]" in output
        assert "Traceback" not in output
