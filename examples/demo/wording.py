"""Numbers, sizes and lists of names as people write them."""

from collections.abc import Sequence


def number(value: float) -> str:
    """`20 000`, with narrow spaces that don't break."""
    return f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def size(octets: float) -> str:
    """`4.4 kB`: decimal units, three digits at most."""
    for unit in ("bytes", "kB", "MB"):
        if octets < 1000 or unit == "MB":
            break
        octets /= 1000
    digits = 0 if unit == "bytes" or octets >= 100 else 1 if octets >= 10 else 2
    return f"{octets:.{digits}f}\N{NO-BREAK SPACE}{unit}"


def seconds(value: float) -> str:
    """`3.2 s`, `45 ms`, `120 µs`."""
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if value * factor >= 1:
            return f"{value * factor:.{1 if value * factor < 100 else 0}f}\N{NO-BREAK SPACE}{unit}"
    return f"{value * 1e6:.0f}\N{NO-BREAK SPACE}µs"


def names(values: Sequence[str]) -> str:
    """`alice, bob and dave`."""
    return " and ".join([", ".join(values[:-1]), values[-1]]) if len(values) > 1 else "".join(values)


def spelled(value: int) -> str:
    """Small numbers as words."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[value] if value < len(words) else number(value)


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 picture`, `2 pictures`."""
    return f"{number(count)} {noun if count == 1 else plural or noun + 's'}"
