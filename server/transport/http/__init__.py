"""The HTTP side: the game for those without a socket, the payment provider, the operator."""
