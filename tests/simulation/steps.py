"""Steps of a history: each a verb and a seed of its own, so that leaving one out changes nothing in the others."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: How often each verb is drawn, in relation to the others.
WEIGHTS = {
    "seal": 10,
    "upload": 12,
    "fetch": 5,
    "enrol": 1,
    "rescan": 1,
    "device dies": 3,
    "backup": 1,
    "restore": 1,
    "match": 6,
    "match and die": 2,
    "claim": 2,
    "record late": 2,
    "examine": 1,
    "deliver late": 4,
    "build": 3,
    "retire": 2,
    "lie": 2,
    "restart": 2,
    "server dies": 3,
    "rotate": 1,
    "begin rotation": 1,
    "retire key": 1,
    "change passphrase": 1,
    "time passes": 2,
    "forget": 1,
    "swap": 1,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next; everything that is left open by the verb follows from the seed."""

    verb: str
    seed: int

    def __str__(self) -> str:
        return f"{self.verb} ({self.seed})"


def draw_steps(seed: int, length: int) -> list[Step]:
    """The steps of the history with this seed."""
    rng = random.Random(seed)
    verbs = rng.choices(list(WEIGHTS), list(WEIGHTS.values()), k=length)
    return [Step(verb, rng.randrange(10**6)) for verb in verbs]


def shrink(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], tries: int = 400) -> list[Step]:
    """A shorter list of steps that still fails: delta debugging, until no single step can be left out.

    `fails` is asked at most `tries` times.
    """
    kept, size = list(steps), max(1, len(steps) // 2)
    while tries > 0:
        start, before = 0, len(kept)
        while start < len(kept) and tries > 0:
            shorter = kept[:start] + kept[start + size :]
            tries -= 1
            if fails(shorter):
                kept = shorter
            else:
                start += size
        if size == 1 and len(kept) == before:
            break
        size = max(1, size // 2)
    return kept
