"""Whatever a payment service answers is taken for something, and never ends the worker."""

import pytest

from server.outside.payout_service import understood
from server.rules.payouts import Pending


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "Mon, 01 Jan 2024 00:00:00 +9999",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "tomorrow",
    ],
)
def test_a_retry_after_that_names_no_time_there_is_is_none(date: str) -> None:
    assert understood("look", "po_1", 202, {"Retry-After": date}, b"") == Pending(None)
