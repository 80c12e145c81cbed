"""Fan-out: an event to every room, again and again, by our server beside others."""
