"""One picture must not open an account because several of its probes are listed (sections 5, 10.4, 10.5)."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.world import World, md5
from tpsi import Item, Pins, Probes, Sharing, Synthetic, SyntheticMode, Voucher, seal
from tpsi.errors import VerificationError
from tpsi.symmetric import KEY_SIZE, open_sealed
from tpsi.trust import check_parameters
from tpsi.voucher import context, slot_data, slot_key

PROMISED = 30


def test_a_list_for_many_probes_is_not_used_on_its_server_s_word_alone() -> None:
    probes = tuple(md5(f"probe {number}") for number in range(32))
    world = World(
        [f"probe {number}" for number in range(32)],
        sharing=Sharing(PROMISED, 16),
        probes=Probes(32, True),  # a lie, which a hostile server can sign
        synthetic=Synthetic(SyntheticMode.REPLACE, 1),
    )
    batch = seal(world.device(), [Item(b"one picture", probes)], rng=world.rng)
    assert len(_all_shares(world, batch.vouchers[0].data)) == 32  # one picture is enough for a reveal…
    pins = Pins(world.manifest.list_id, bytes(32), PROMISED, 1)
    with pytest.raises(
        VerificationError, match="nobody but its server says"
    ):  # …so the lie has to be an auditor's, too
        check_parameters(world.manifest, pins)
    check_parameters(world.manifest, replace(pins, auditor_keys=(b"\x01" * 32,)))
    check_parameters(world.manifest, replace(pins, trusts_separation=True))


def _all_shares(world: World, data: bytes) -> set[bytes]:
    """What a server gets that tries every slot, and not only until one opens."""
    manifest, group = world.manifest, world.manifest.group
    voucher = Voucher.decode(data, manifest)
    bound = slot_data(context(manifest, voucher.header, "alice"))
    found = set()
    for slot in voucher.slots:
        q = np.frombuffer(slot.q, np.uint8).reshape(1, -1)
        s = group.multiply(world.built.secrets.scalar(group), q).tobytes()
        content = open_sealed(slot_key(manifest, s, slot.q), slot.ct, bound)
        if content is not None:
            found.add(content[KEY_SIZE:])
    return found
