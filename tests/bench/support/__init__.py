"""What several benchmarks share, and programs that they start."""
