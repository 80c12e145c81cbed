"""The use cases: one function each, the same for sockets and HTTP."""
