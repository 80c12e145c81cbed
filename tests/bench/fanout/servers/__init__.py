"""The servers in Python. Each is a program that prints its port, plays a round (one event to every
room) for each byte that comes on its standard input, and ends with it."""
