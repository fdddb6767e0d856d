"""Times in the database: whole milliseconds since 1970; seconds outside of it."""


def to_stored(seconds: float) -> int:
    """Seconds as they are stored."""
    return round(seconds * 1000)


def from_stored(milliseconds: int) -> float:
    """Inverse of `to_stored`."""
    return milliseconds / 1000


def from_stored_or_none(milliseconds: int | None) -> float | None:
    """`from_stored`, for columns that may be empty."""
    return None if milliseconds is None else from_stored(milliseconds)
