"""What a server logs where the machine pauses."""

import re

LATE = re.compile(
    '"([a-z_]+_without_(store|books)|(archive|payouts)_waits?|addresses_not_kept|subscription_lost'
    '|payouts_not_(looked_up|noted_yet)|operator_log_not_compared|beacon_unreachable)"'
    r'|"error": "(no answer in time|the subscription was not confirmed|TimeoutError\(\))"'
)
"""What a server logs of a store, books, an issuer or a beacon that do not answer in time, as if the
machine paused."""
