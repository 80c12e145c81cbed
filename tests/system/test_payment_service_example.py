"""The example of an operator's payment service pays each order once, a crash between or not, and
what it cannot pay is seen and tried again."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.dev.ports import free_port
from server.outside.payout_service import PayoutService
from server.rules.payouts import NeverArrived, NotAdmitted, Paid, Pending
from tests.support.process import StartProcess
from tests.support.wait import until

EXAMPLE = Path(__file__).parents[2] / ".deploy/payment_service.py"
KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


FAILS_TWICE = """
    global TRIED
    if order["payout_id"] == "po_1" and (TRIED := TRIED + 1) <= 2:
        raise OSError("the bank is closed")
    return"""


def test_the_example_is_short() -> None:
    assert len(EXAMPLE.read_text().splitlines()) <= 60


async def test_what_the_example_cannot_pay_is_told_tried_again_and_keeps_no_other_from_its_turn(
    start_process: StartProcess, tmp_path: Path
) -> None:
    port = str(free_port())
    public = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw().hex()
    environment = {"PAYOUT_PUBLIC_KEY": public, "PAYOUTS_FILE": str(tmp_path / "p"), "PORT": port}
    example = tmp_path / "payment_service.py"
    example.write_text(EXAMPLE.read_text().replace("\n    return", FAILS_TWICE, 1))
    example.write_text(example.read_text().replace("UNPAID =", "TRIED = 0\nUNPAID =", 1))
    process = start_process(sys.executable, str(example), **environment)
    url = f"http://127.0.0.1:{port}/"
    await process.wait_for_url(url + "po_1", 401)
    service = PayoutService(url, KEY, 10, 2)
    for name in ("po_1", "po_2"):

        async def is_paid(name: str = name) -> bool:
            return await service.look(name) == Paid(f"example-{name}")

        await service.send(name, f'{{"payout_id":"{name}"}}')
        await until(is_paid)
    assert process.output.count("OSError: the bank is closed") == 2
    await service.close()


async def test_the_example_pays_once_what_our_key_has_signed(
    start_process: StartProcess, tmp_path: Path
) -> None:
    port = str(free_port())
    public = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes_raw().hex()
    environment = {"PAYOUT_PUBLIC_KEY": public, "PAYOUTS_FILE": str(tmp_path / "p"), "PORT": port}
    url = f"http://127.0.0.1:{port}/"
    ours, theirs = (PayoutService(url, key, 10, 2) for key in (KEY, OTHER))
    body = '{"payout_id":"po_1"}'
    for _ in range(2):
        process = start_process(sys.executable, str(EXAMPLE), **environment)
        await process.wait_for_url(url + "po_1", 401)
        assert isinstance(await theirs.send("po_1", body), NotAdmitted)
        assert await ours.look("po_2") == NeverArrived()
        assert isinstance(await ours.send("po_1", body), (Pending, Paid))

        async def is_paid() -> bool:
            return await ours.look("po_1") == Paid("example-po_1")

        await until(is_paid)
        process.kill()
    await ours.close()
    await theirs.close()
