"""Small changes of a transcript, one value at a time: a verifier must find every one of them."""

import copy
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

#: Values from which nothing recorded follows, by the shape of their path. The reasons stand in README.md.
FREE = re.compile(
    r"source|seed|.*\.name|policies\..*|geometries\.#\.items|positions\.#\.items"
    r"|elements\.refused\.#\.octets|epochs\.#\.table\.refused_seeds\.#"
    r"|deliveries\.#\.(octets|account|batch)|detections\.#\.(account|batch|opened\.#\.(voucher|adct))"
    r"|acceptance\.#\.(envelope|policy|between\.#)"
)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all values that hold no others; an empty list or object is one."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from leaves(member, (*path, key))
    elif isinstance(value, list) and value:
        for i, entry in enumerate(value):
            yield from leaves(entry, (*path, i))
    else:
        yield path


def shape(path: Path) -> str:
    """The path with its indices left out."""
    return ".".join("#" if isinstance(part, int) else part for part in path)


def at(data: Any, path: Path) -> Any:
    """The value at a path."""
    for part in path:
        data = data[part]
    return data


def is_free(data: Any, path: Path) -> bool:
    """Whether a change of this value may go unnoticed."""
    if FREE.fullmatch(shape(path)):
        return True
    owner: Any = at(data, path[:2])
    if path[0] == "acceptance":
        return owner["refused_by_check"] is not None and path[-1] != "refused_by_check"
    if path[0] == "detections" and path[-1] == "share":
        return bool(owner["detection"]["malformed"])
    if path[-1] == "ad" and path[-2] != "revealed" and "items" in path:
        return all(voucher["kind"] == "synthetic" for voucher in at(data, path[:-1])["vouchers"])
    return False


def sample(data: Any, choice: random.Random) -> list[Path]:
    """One path of every shape, chosen at random."""
    shapes: defaultdict[str, list[Path]] = defaultdict(list)
    for path in leaves(data):
        if not is_free(data, path):
            shapes[shape(path)].append(path)
    return [choice.choice(paths) for paths in shapes.values()]


def changed(value: Any, choice: random.Random) -> Any:
    """A value of the same kind that differs a little; for null, a number."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        i = choice.randrange(len(value))
        other = choice.choice([c for c in "0123456789abcdef" if c != value[i]])
        return value[:i] + other + value[i + 1 :]
    return 0 if value is None else [0]


def mutated(data: Any, path: Path, choice: random.Random) -> Any:
    """A copy of a transcript in which the value at the path is another; what does not change is shared."""
    if not path:
        return changed(data, choice)
    edited = copy.copy(data)
    edited[path[0]] = mutated(data[path[0]], path[1:], choice)
    return edited


def with_member(data: Any, path: Path) -> Any:
    """A copy with one member more in the object at the path."""
    edited = json.loads(json.dumps(data))
    at(edited, path)["comment"] = "is not checked"
    return edited


def without(data: Any, path: Path) -> Any:
    """A copy without the member at the path."""
    edited = json.loads(json.dumps(data))
    del at(edited, path[:-1])[path[-1]]
    return edited
