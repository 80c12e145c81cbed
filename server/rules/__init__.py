"""The rules of the game: pure values and functions. Time and randomness come in as arguments."""
