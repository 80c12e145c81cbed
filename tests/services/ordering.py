"""What an operator named eve orders, and what follows for those who want a seat."""

from protocol import operators
from protocol.errors import ErrorCode, Refused
from server.services.seats import Seated
from tests.support.game import BUY_IN, Node

OTHER = 7000
BANNED = Refused(ErrorCode.BANNED, {"until": None})
CLOSED = Refused(ErrorCode.TIER_CLOSED)


async def ban(node: Node, alien_id: str, until: int | None = None) -> bool | Refused:
    request = operators.BanPlayer(alien_id=alien_id, reason="he cheats", until=until)
    return await node.operators.carry_out("eve", request)


async def unban(node: Node, alien_id: str) -> bool | Refused:
    request = operators.UnbanPlayer(alien_id=alien_id, reason="he does not")
    return await node.operators.carry_out("eve", request)


async def close(node: Node, tier: int = BUY_IN) -> bool | Refused:
    request = operators.CloseTier(buy_in_amount=tier, reason="a fault")
    return await node.operators.carry_out("eve", request)


async def join(node: Node, alien_id: str, tier: int = BUY_IN) -> Seated | Refused:
    return await node.seats.join(alien_id, tier, "")
