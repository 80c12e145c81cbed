"""What tests of several layers need: real parts, started and ended."""
