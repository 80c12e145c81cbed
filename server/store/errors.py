"""How the store can fail, for those who use it."""


class StoreUnavailable(Exception):
    """The store did not answer in time or cannot take writes now. What was sent may have been
    done or not; the same request may succeed later."""
