"""Hurting servers while they are played on, and seeing what became of the games."""
