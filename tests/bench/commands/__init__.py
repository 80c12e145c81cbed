"""What commands of players cost: `python -m tests.bench.commands`."""
