"""Players in bulk: a tool beside the server, which knows it by its protocol alone."""
