"""Several processes on one port, and their parent, who starts them and owns their sockets."""
