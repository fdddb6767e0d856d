"""A process of its own that seals from a large table as a device does, and says what that took.

`python -m bench.growth_seal FOLDER ITEMS`, with the folder of an epoch that a server has built. Writes one JSON object.
"""

import json
import sys
import time
from pathlib import Path

from bench.memory import peak_resident
from bench.stage import ACCOUNT, device_items
from tpsi import Device, Pool, Secret, SignedManifest, derive, seal
from tpsi_client.tables import TableFolder

#: Items sealed together.
BATCH = 256


def main() -> None:
    """Verify, seal, report."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    manifest = SignedManifest.decode((folder / "manifest.json").read_bytes()).manifest
    table = TableFolder(folder, manifest).open()
    keys = derive(Secret(bytes(32)), Pool(manifest.list_id, 0, manifest.sharing))
    device = Device(manifest, table, keys, ACCOUNT)
    before, items = peak_resident(), device_items(count)
    start = time.process_time()
    for place in range(0, count, BATCH):
        seal(device, items[place : place + BATCH])
    seconds = (time.process_time() - start) / count
    print(json.dumps({"octets": manifest.table_bytes, "seconds": seconds, "before": before, "peak": peak_resident()}))


if __name__ == "__main__":
    main()
