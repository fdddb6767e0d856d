"""The one error of the demonstration: a sentence for whoever runs it."""


class DemoError(Exception):
    """The demonstration cannot go on; the message says what is wrong and what to do."""
