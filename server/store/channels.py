"""Which channels the store's messages go through."""

from dataclasses import dataclass


@dataclass(slots=True)
class Channels:
    """Sharded channels where the store has them (Redis 7, Valkey): in a cluster a message then
    goes to the nodes of its slot and not to all. All servers of one store must find the same."""

    sharded: bool = False

    @property
    def publish(self) -> str:
        """The command that publishes."""
        return "SPUBLISH" if self.sharded else "PUBLISH"

    @property
    def subscribe(self) -> str:
        """The command that subscribes."""
        return "SSUBSCRIBE" if self.sharded else "SUBSCRIBE"

    @property
    def unsubscribe(self) -> str:
        """The command that ends a subscription."""
        return "SUNSUBSCRIBE" if self.sharded else "UNSUBSCRIBE"
