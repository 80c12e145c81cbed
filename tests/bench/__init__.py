"""Measurements: scripts that print what they find. Their smoke tests are beside them."""
