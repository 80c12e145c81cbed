"""What can go wrong with the books."""


class BooksUnavailable(Exception):
    """The books do not answer: what was asked is not known to be done."""


class WrongSchema(Exception):
    """The books are not as this version needs them. The text is one line for the operator."""
