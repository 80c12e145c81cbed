"""Development: a second entry point, with all that a game needs on one machine. Production never
imports it."""
