"""The operators' tokens as the environment has them: `name:role:token,...`."""

import re
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

Role = Literal["viewer", "support", "cashier", "admin"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
MIN_TOKEN: Final = 16
_NAME: Final = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_TOKEN: Final = re.compile(rf"[!-~]{{{MIN_TOKEN},}}")


@dataclass(frozen=True, slots=True)
class OpsToken:
    """Whoever shows `token` is the operator `name`, in that role."""

    name: str
    role: Role
    token: str = field(repr=False)


def read_ops_tokens(text: Any) -> tuple[OpsToken, ...]:
    """The tokens in the text of a setting. Raises ValueError, whose text quotes nothing."""
    found = tuple(_token(part.strip()) for part in str(text).split(","))
    if len({each.token for each in found}) < len(found):
        raise ValueError("has a token twice")
    return found


def _token(part: str) -> OpsToken:
    name, _, rest = part.partition(":")
    role, _, token = rest.partition(":")
    if not _NAME.fullmatch(name) or not token:
        raise ValueError("must be like name:role:token,name:role:token")
    known = next((each for each in ROLES if each == role), None)
    if known is None:
        raise ValueError(f"has a role that is none of {', '.join(ROLES)}")
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"has a token of fewer than {MIN_TOKEN} characters, or with a space in it")
    return OpsToken(name, known, token)
