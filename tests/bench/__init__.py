"""Benchmarks: each module and package here but `support` is a command that prints what it measured;
README.md has them all. Their smoke tests are beside them."""
