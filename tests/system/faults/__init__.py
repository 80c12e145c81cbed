"""Fault injection: servers, links and stores fail while games are played, and each game is
checked."""
