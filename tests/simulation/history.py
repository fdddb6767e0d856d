"""One history: a server, devices and a network, taken through steps, with the model beside them."""

import asyncio
import atexit
import random
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from unittest.mock import patch

from sqlalchemy.engine import URL

from tests.simulation import checks
from tests.simulation.device import SimulatedDevice
from tests.simulation.flaws import SOUND, Flaw
from tests.simulation.inline import Inline
from tests.simulation.model import Memory, Model, Sealed, require
from tests.simulation.network import DeviceDiedError, Network, ids_of
from tests.simulation.server import FIRST_THRESHOLD, ROWS, SimulatedServer
from tests.simulation.steps import Step
from tests.support.drbg import Drbg
from tests.support.engines import compiled_once
from tests.support.server_data import COST
from tpsi import Role as Signer
from tpsi import Secret, SignedManifest, VerificationError, sign_manifest
from tpsi.log import Checkpoint
from tpsi_client.enrolment import Enrolment
from tpsi_client.errors import ServiceError
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import Role
from tpsi_server.enrolment import Enrolment as EnrolmentFile
from tpsi_server.errors import OperatorError, RefusedError
from tpsi_server.inspection import retire_epoch
from tpsi_server.jobs import Examined, ExamineJob, MatchJob
from tpsi_server.rotation import change_all_passphrases, prepare_rotation, retire, rotate
from tpsi_server.store import Claim, Match, Taken

#: Items that there are, and how many of them a list has about.
NAMES, LISTED = 24, 14
FIRST_LIST = frozenset(range(LISTED))
ACCOUNTS = ("alice", "bob")
MAX_DEVICES = 4
#: Steps that happen on devices alone, and over the network.
OF_DEVICES, OF_BOTH = ("seal", "rescan", "device dies", "backup", "restore"), ("upload", "fetch", "enrol", "lie")
#: Seconds: leases that are over before the next step, and such as are not until time passes.
LEASES = 0.5, 60.0
#: Seconds: longer than every lease.
LONG = 1000.0


class History:
    """Takes steps until one breaks a promise (BrokenError), or something raises that should not."""

    def __init__(self, place: Path, seed: int, url: URL | None = None, flaw: Flaw = SOUND) -> None:
        """In an empty folder, or in a copy of one in which a history has begun."""
        self.now = 1_800_000_000.0
        self._flaw, self._place, self._seed = flaw, place, seed
        self._runner = asyncio.Runner()
        self._runner.get_loop().set_default_executor(Inline())
        self.model = Model(ROWS)
        begun = any(place.iterdir())
        self.server = SimulatedServer(place, lambda: self.now, url, flaw)
        self.network = Network(self.server, self)
        self.devices: list[SimulatedDevice] = []
        self._claims: list[tuple[Claim, list[Match]] | tuple[Taken, Examined]] = []
        self._checkpoint: Checkpoint | None = None
        self._manifests: list[bytes] = []
        if begun:
            self._go_on()
        else:
            self._begin()

    def _begin(self) -> None:
        self.server.runtime.store.log.set_notify_after(0, self.now)
        self._build_epoch(FIRST_LIST, FIRST_THRESHOLD)
        for account in ACCOUNTS:
            self.server.runtime.accounts.create(account)
            self._enrol_device(account)

    def _go_on(self) -> None:
        self._know_epoch(FIRST_LIST)
        for account in ACCOUNTS:
            device = self._device(account)
            device.open()
            self._know_device(device)

    def take(self, step: Step) -> None:
        """One step, and a look at whether what it touched is as it must be."""
        getattr(self, "_" + step.verb.replace(" ", "_"))(random.Random(step.seed))
        self.now += 1
        self.check(server=step.verb not in OF_DEVICES, devices=step.verb in (*OF_DEVICES, *OF_BOTH))

    def check(self, *, server: bool = True, devices: bool = True) -> None:
        """What must hold at any time."""
        for device in self.devices if devices else ():
            checks.check_outbox(device, self.model)
        if server:
            self._checkpoint = checks.check_log(self.server, self._checkpoint)
            checks.check_server(self.server, self.model)

    def end(self) -> None:
        """The network gets well, everything arrives and is matched, keys are rotated; then all must be as promised."""
        self.network.calm, rng = True, random.Random(self._seed)
        while self.network.late:
            self._deliver_late(rng)
        for device in self.devices:
            self._attempt(device, device.fetch(rng))
            self._run(device.upload(rng, again=True))
        self._time_passes(rng)
        while self._claims:
            self._record_late(rng)
        self.server.runtime.store.matches.retry_failed()
        self._rotate(rng)
        self._match(rng)
        for record in self.server.runtime.store.data_keys.all()[:-1]:
            self._retire_data_key(record.number)
        self._restart(rng)
        self.check()
        found = checks.read(self.server, self.model)
        checks.check_complete(self.model, found)
        checks.check_content(self.server, self.model, found)
        require(not (wrong := self.server.runtime.store.check()), f"the database is not sound: {wrong}")
        self.close()
        outboxes = [data for device in self.devices for data in device.files()]
        checks.check_forgotten(self.model, found, self.server.files(), outboxes)

    def close(self) -> None:
        """End all processes."""
        for device in self.devices:
            device.process.close()
        self.server.runtime.close()
        self._runner.close()

    # what the network tells

    def sends(self, vouchers: list[bytes]) -> None:
        """A batch reaches the server."""
        self.model.sent.update(ids_of(vouchers))

    def answers(self, device: str, vouchers: list[bytes], ack: pb.BatchAck) -> None:
        """An acknowledgement reaches a device. Honest vouchers are refused for one reason only."""
        refused = {refusal.index: refusal.reason for refusal in ack.refused}
        for place, voucher_id in enumerate(ids_of(vouchers)):
            if place not in refused:
                self.model.acknowledge(device, voucher_id)
                continue
            require(refused[place] == pb.VOUCHER_WRONG_EPOCH, "an honest voucher was refused")
            require(self.model.vouchers[voucher_id].epoch in self.model.retired, "a voucher of an epoch in force was")

    # steps of devices

    def _seal(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        names = [rng.randrange(NAMES) for _ in range(rng.randint(1, 6))]
        batch, associated = device.seal(names)
        sealer = device.local.sealer()
        epoch = sealer.manifest.epoch
        pool = device.name, sealer.generation, sealer.manifest.sharing.threshold
        made = zip(batch.vouchers, associated, strict=True)
        for one, data in sorted(made, key=lambda pair: pair[0].item):
            name = names[one.item]
            listed = name in self.model.lists[epoch]
            whose = device.name, device.account, name
            self.model.seal(Sealed(one.voucher_id, one.data, *whose, one.kind, epoch, pool, listed, data))

    def _upload(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        again = rng.randrange(4) == 0
        if self._attempt(device, device.upload(rng, again=again)):
            waiting = [one for one, (state, _) in device.rows().items() if state == "queued"]
            require(not waiting, "an upload ended well, and left something in the queue")

    def _fetch(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        self._attempt(device, device.fetch(rng))

    def _enrol(self, rng: random.Random) -> None:
        if len(self.devices) < MAX_DEVICES:
            self._enrol_device(rng.choice(ACCOUNTS))

    def _enrol_device(self, account: str) -> None:
        runtime = self.server.runtime
        token = runtime.accounts.issue(Role.DEVICE, account).token
        file = EnrolmentFile("localhost:1", None, runtime.identity, account, token, FIRST_THRESHOLD)
        file.write(self._place / f"device{len(self.devices)}.json")
        device = self._device(account)
        self._run(device.enrol())
        self._know_device(device)

    def _device(self, account: str) -> SimulatedDevice:
        """The next device, by its enrolment file."""
        name = f"device{len(self.devices)}"
        enrolment = Enrolment.read(self._place / f"{name}.json")
        return SimulatedDevice(name, account, self._place, enrolment, network=self.network, flaw=self._flaw)

    def _know_device(self, device: SimulatedDevice) -> None:
        self.devices.append(device)
        self.model.memories[device.name] = Memory(device.local.state.generation)

    def _rescan(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        device.local.rescan()
        self.model.rescan(device.name, device.local.state.generation)

    def _device_dies(self, rng: random.Random) -> None:
        rng.choice(self.devices).die()

    def _backup(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        device.back_up()
        self.model.back_up(device.name)

    def _restore(self, rng: random.Random) -> None:
        device = rng.choice(self.devices)
        if device.name in self.model.backups:
            device.restore()
            self.model.restore(device.name)

    def _lie(self, rng: random.Random) -> None:
        """The server shows a manifest that is signed, and is not the next one of the chain."""
        device = rng.choice(self.devices)
        chain = device.local.state.chain
        before = device.newest_epoch(), chain.in_use()
        self.network.forged = self._false_manifest(rng)
        honest = self.network.forged in self._manifests[before[0] - 1 :]
        try:
            self._run(device.fetch(rng))
            require(honest, f"{device.name} accepted a false manifest")
        except (VerificationError, ServiceError):
            require(honest or (device.newest_epoch(), chain.in_use()) == before, f"{device.name} kept a false manifest")
        finally:
            self.network.forged = None

    def _false_manifest(self, rng: random.Random) -> bytes:
        """An older one (a step back, for most devices), or another one than was built (a fork)."""
        envelope = rng.choice(self._manifests)
        if rng.randrange(2):
            return envelope
        manifest = replace(SignedManifest.decode(envelope).manifest, created=int(self.now) + 1)
        key = self.server.keys().signing_key()
        return SignedManifest(manifest, (sign_manifest(manifest, Signer.SERVER, key),)).encode()

    # steps of the server

    def _match(self, rng: random.Random) -> None:
        matcher = self.server.matcher()
        matcher.drain()
        matcher.close()

    def _match_and_die(self, rng: random.Random) -> None:
        matcher = self.server.matcher()
        for _ in range(rng.randrange(3)):
            matcher.step(0.0)
        matcher._next()  # claimed, and never worked on
        self.server.die()

    def _claim(self, rng: random.Random) -> None:
        """A matching process that is slow: it has its results, and writes them down much later."""
        store, tables, keys = self.server.runtime.store, self.server.runtime.tables, self.server.keys()
        for number in store.matches.epochs():
            manifest = tables.by_number(number).manifest
            claim = store.matches.claim(number, rng.randint(1, 8), rng.choice(LEASES), self.now)
            if claim is not None:
                self._claims.append((claim, MatchJob.of(claim, manifest, keys.epoch(manifest)).run()))

    def _examine(self, rng: random.Random) -> None:
        """The same for an examination."""
        store = self.server.runtime.store
        taken = store.pools.take(rng.choice(LEASES), self.now, patient=False)
        if taken is not None:
            data_keys = {number: self.server.keys().data_key(number).reveal() for number in store.data_keys.numbers()}
            result = ExamineJob(taken, store.location, data_keys).run()
            assert isinstance(result, Examined)
            self._claims.append((taken, result))

    def _record_late(self, rng: random.Random) -> None:
        if not self._claims:
            return
        work, result = self._claims.pop(rng.randrange(len(self._claims)))
        store = self.server.runtime.store
        if isinstance(work, Claim) and not isinstance(result, Examined):
            store.matches.record(work, result, self.now)
        elif isinstance(work, Taken) and isinstance(result, Examined):
            store.pools.record(work, result.found, result.took, self.now)

    def _deliver_late(self, rng: random.Random) -> None:
        if self.network.late:
            account, vouchers = self.network.late.pop(rng.randrange(len(self.network.late)))
            with suppress(RefusedError):
                self.network.deliver(account, vouchers)

    def _swap(self, rng: random.Random) -> None:
        """Somebody sends under his own account what he has seen of another's."""
        waiting = [one for one in self.model.vouchers.values() if one.voucher_id in self.model.sent]
        if not waiting:
            return
        one = rng.choice(waiting)
        self.model.swapped.add(one.voucher_id)
        self.server.runtime.ingest.ingest(next(name for name in ACCOUNTS if name != one.account), [one.data])

    def _forget(self, rng: random.Random) -> None:
        """A hundred days pass, and what is past its period is forgotten."""
        self.now += 100 * 86_400
        self.server.end_leases()
        before, retention = checks.read(self.server, self.model), self.server.runtime.store.retention
        retention.set_periods(ids=90)
        self.model.rows_gone += retention.apply(self.now).ids
        retention.set_periods(ids=None)  # a drain forgets, too, and would tell nobody how much
        checks.check_forgetting(self.server, self.model, before)

    def _build(self, rng: random.Random) -> None:
        names = frozenset(rng.sample(range(NAMES), rng.randint(LISTED - 3, LISTED + 3)))
        self._build_epoch(names, rng.choice((FIRST_THRESHOLD, FIRST_THRESHOLD + 1)))

    def _build_epoch(self, names: frozenset[int], threshold: int) -> None:
        self.server.build(names, threshold)
        self._know_epoch(names)

    def _know_epoch(self, names: frozenset[int]) -> None:
        epoch = self.server.runtime.tables.newest()
        self.model.lists[epoch.number] = names
        self._manifests.append(epoch.signed_manifest)

    def _retire(self, rng: random.Random) -> None:
        number = rng.choice(sorted(self.model.lists))
        if number == max(self.model.lists):
            return
        server = self.server
        with suppress(OperatorError):  # its vouchers wait for the key
            retire_epoch(server.folder, server.runtime.store, number, self.now, destroy_key=bool(rng.randrange(2)))
        server.runtime.tables.refresh()
        self.model.retired.add(number)

    def _restart(self, rng: random.Random) -> None:
        self.server.restart()

    def _server_dies(self, rng: random.Random) -> None:
        self.server.die()

    def _rotate(self, rng: random.Random) -> None:
        runtime, keys = self.server.runtime, self.server.keys()
        rotate(runtime.store, keys, self.server.folder.keys, runtime.identity.list_id)
        records = runtime.store.data_keys.all()
        require(not any(record.cells for record in records[:-1]), "a rotation left cells under the old key")

    def _begin_rotation(self, rng: random.Random) -> None:
        """The new key is in use, and perhaps some cells are sealed anew, when the operator's command is killed."""
        runtime = self.server.runtime
        number = prepare_rotation(runtime.store, self.server.keys(), self.server.folder.keys, runtime.identity.list_id)
        if rng.randrange(3):
            runtime.store.data_keys.add(number, self.now)
            for _ in range(rng.randrange(3)):
                runtime.store.data_keys.reseal()

    def _retire_key(self, rng: random.Random) -> None:
        records = [one for one in self.server.runtime.store.data_keys.all() if one.retired is None]
        with suppress(OperatorError):  # it is in use
            retire(self.server.runtime.store, self.server.folder.keys, records[0].number)

    def _retire_data_key(self, number: int) -> None:
        retire(self.server.runtime.store, self.server.folder.keys, number)

    def _change_passphrase(self, rng: random.Random) -> None:
        new = Secret(b"the passphrase no. %d" % rng.randrange(10**6))
        self.server.runtime.close()
        change_all_passphrases(self.server.folder.keys, self.server.passphrase, new, cost=COST)
        self.server.passphrase = new
        self.server.open()

    def _time_passes(self, rng: random.Random) -> None:
        self.now += LONG
        self.server.end_leases()

    # how steps are run

    def _run(self, work: object) -> None:
        self._runner.run(work)  # type: ignore[arg-type]

    def _attempt(self, device: SimulatedDevice, work: object) -> bool:
        """Something over the network, which may fail; whether it did not. A device that dies is started again."""
        try:
            self._run(work)
        except ServiceError:
            return False
        except DeviceDiedError:
            device.die()
            return False
        return True


def play(place: Path, steps: Iterable[Step], seed: int, *, url: URL | None = None, flaw: Flaw = SOUND) -> None:
    """Take all steps, in an empty folder; raises what went wrong. The same seed and steps give the same history."""
    with compiled_once(), flaw.around():
        if url is None:
            shutil.copytree(_begun(), place, dirs_exist_ok=True)
        with _randomness(f"{seed}"):
            history = History(place, seed, url, flaw)
        try:
            for step in steps:
                with _randomness(f"{seed} {step}"):
                    history.take(step)
            with _randomness(f"{seed} end"):
                history.end()
        finally:
            history.close()


@cache
def _begun() -> Path:
    """A folder in which a history has begun: others go on from copies."""
    place = tempfile.mkdtemp(prefix="tpsi-simulation-", dir=memory())
    atexit.register(shutil.rmtree, place)
    with _randomness("begun"):
        History(Path(place), 0).close()
    return Path(place)


def _randomness(seed: str) -> AbstractContextManager[object]:
    """What the system draws, from a seed: a history can be played again to the octet."""
    return patch("random._urandom", Drbg(seed))


def memory() -> str | None:
    """A file system in memory, where there is one: what a death leaves is the same there, and nothing waits."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
