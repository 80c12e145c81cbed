"""Who gives a command."""

from pydantic import TypeAdapter, ValidationError

from protocol.operators import OperatorName
from server.cli.console import fail
from server.runtime.exit_codes import BAD_SETTINGS


def operator_name(by: str) -> str:
    """The name in `--by`, with single spaces; ends the command if it is none."""
    try:
        name: str = TypeAdapter(OperatorName).validate_python(by)
    except ValidationError as error:
        fail(f"--by: {error.errors()[0]['msg'].removeprefix('Value error, ')}", BAD_SETTINGS)
    return name
