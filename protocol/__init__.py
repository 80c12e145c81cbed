"""The words on the wire: what clients, the payment provider and the server say to each other."""
