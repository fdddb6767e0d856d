"""The peer's side of the comparison: a process of the peer's own environment, which times what it is told to.

It imports nothing of this project. It reads one JSON object a line and answers each with one; both end with the input.
The list is the benchmark's, as text: `kind`s and numbers name the same hashes in both processes.
"""

import hashlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import private_set_intersection.python as psi


def name(kind: str, number: int) -> str:
    """The same text as `bench.stage.name`."""
    return hashlib.sha256(f"{kind} {number}".encode()).hexdigest()


class Peer:
    """Both parties of a plain intersection, with a setup that has no false positives, as ours has none."""

    def __init__(self, listed: int, items: int) -> None:
        self.server = psi.server.CreateWithNewKey(True)
        self.client = psi.client.CreateWithNewKey(True)
        self.listed = [name("listed", number) for number in range(listed)]
        self.items = [name("device", number) for number in range(items)]
        self.message = self.set_up()
        self.request = self.client.CreateRequest(self.items)
        self.response = self.server.ProcessRequest(self.request)
        known = [*self.items, self.listed[0]]
        found = self.client.GetIntersection(self.message, self.server.ProcessRequest(self.client.CreateRequest(known)))
        if list(found) != [len(self.items)]:
            raise SystemExit("the peer finds a wrong intersection")

    def set_up(self) -> Any:
        """What the server does with its list."""
        return self.server.CreateSetupMessage(1e-9, len(self.items), self.listed, psi.DataStructure.RAW)

    def device(self) -> None:
        """What the device does: before and after the server's answer."""
        self.client.CreateRequest(self.items)
        self.client.GetIntersection(self.message, self.response)

    def process(self) -> None:
        """What the server does with a request."""
        self.server.ProcessRequest(self.request)


def main() -> None:
    """Answer the greeting, then one request after the other."""
    peer = Peer(*map(int, sys.argv[1:]))
    works: dict[str, Callable[[], Any]] = {"set up": peer.set_up, "device": peer.device, "process": peer.process}
    _say({"version": psi.__version__, "setup_bytes": len(peer.message.SerializeToString())})
    for line in sys.stdin:
        work = works[json.loads(line)["do"]]
        start = time.process_time()
        work()
        _say({"seconds": time.process_time() - start})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
