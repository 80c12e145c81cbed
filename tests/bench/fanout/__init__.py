"""One event to every room, again and again: our fan-out beside other servers' on the same work."""
