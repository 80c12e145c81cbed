"""python-socketio and python-engineio, for all of `transport`.

They bring clients and ways to other nodes, which are not used here: so what those would use counts
as not installed, if it is.
"""

from server.runtime.lean_imports import without

with without("requests", "websocket", "valkey", "kombu", "kafka", "zmq", "aio_pika"):
    import engineio as engineio
    import socketio as socketio
