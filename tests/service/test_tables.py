"""The table service: manifests, digests, downloads from any offset, the canary."""

import hashlib
from collections.abc import Callable

import grpc
import pytest

from tests.support.refusals import refused
from tests.support.server_data import NEWEST, RETIRED, WITHOUT_CANARY, TestEpoch
from tests.support.serving import Client
from tpsi import SignedManifest
from tpsi.merkle import CHUNK_SIZE, DIGEST_SIZE, leaves_of, root
from tpsi_proto import tpsi_pb2 as pb
from tpsi_server import DataFolder, Runtime
from tpsi_server.tables import TABLE_FILE, epoch_folder


def download(client: Client, epoch: TestEpoch, offset: int = 0) -> list[pb.TablePiece]:
    """The pieces of a table from an offset on."""
    request = pb.DownloadTableRequest(manifest_digest=epoch.manifest.digest, offset=offset)
    return list(client.tables.DownloadTable(request))


def chunks(data: bytes) -> list[bytes]:
    """A table file cut into chunks."""
    return [data[start : start + CHUNK_SIZE] for start in range(0, len(data), CHUNK_SIZE)]


def test_the_newest_manifest_is_the_default(device: Client, runtime: Runtime, epoch: TestEpoch) -> None:
    answer = device.tables.GetManifest(pb.GetManifestRequest())
    manifest = SignedManifest.decode(answer.signed_manifest).verify(runtime.identity.server_key)
    assert manifest == epoch.manifest
    assert manifest.epoch == NEWEST


@pytest.mark.parametrize("number", [RETIRED, WITHOUT_CANARY, NEWEST])
def test_every_manifest_of_the_chain_can_be_had_even_of_retired_epochs(device: Client, number: int) -> None:
    answer = device.tables.GetManifest(pb.GetManifestRequest(epoch=number))
    assert SignedManifest.decode(answer.signed_manifest).manifest.epoch == number


@pytest.mark.parametrize("number", [NEWEST + 1, 2**64 - 1])
def test_an_epoch_that_was_never_built_is_refused(device: Client, number: int) -> None:
    with refused("MANIFEST_UNKNOWN") as told:
        device.tables.GetManifest(pb.GetManifestRequest(epoch=number))
    assert told.code is grpc.StatusCode.NOT_FOUND


def test_without_an_epoch_in_force_there_is_no_newest_manifest(device: Client, runtime: Runtime) -> None:
    runtime.store.epochs.retire(NEWEST, 1.0)
    runtime.tables.refresh()
    with refused("NO_TABLE") as told:
        device.tables.GetManifest(pb.GetManifestRequest())
    assert told.code is grpc.StatusCode.NOT_FOUND


def test_the_digests_hash_to_the_root_of_the_manifest(device: Client, epoch: TestEpoch) -> None:
    request = pb.GetTableDigestsRequest(manifest_digest=epoch.manifest.digest)
    leaves = device.tables.GetTableDigests(request).leaves
    cut = [leaves[start : start + DIGEST_SIZE] for start in range(0, len(leaves), DIGEST_SIZE)]
    assert cut == leaves_of(chunks(epoch.cells))
    assert root(cut) == epoch.manifest.root


def test_a_table_comes_whole_and_in_pieces_that_are_chunks(device: Client, epoch: TestEpoch) -> None:
    pieces = download(device, epoch)
    assert [piece.data for piece in pieces] == chunks(epoch.cells)
    assert len(pieces) > 1


@pytest.mark.parametrize("offset", [1, 31, 1000, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, -CHUNK_SIZE // 2, -1])
def test_a_download_goes_on_at_any_offset_without_crossing_a_chunk(
    device: Client, epoch: TestEpoch, offset: int
) -> None:
    start = offset if offset > 0 else len(epoch.cells) + offset
    pieces = download(device, epoch, start)
    assert b"".join(piece.data for piece in pieces) == epoch.cells[start:]
    for piece in pieces:
        assert piece.offset == start
        assert piece.offset // CHUNK_SIZE == (piece.offset + len(piece.data) - 1) // CHUNK_SIZE
        start += len(piece.data)


def test_a_download_at_the_end_has_no_pieces(device: Client, epoch: TestEpoch) -> None:
    assert download(device, epoch, len(epoch.cells)) == []


@pytest.mark.parametrize("beyond", [1, 2**63])
def test_a_download_beyond_the_end_is_refused(device: Client, epoch: TestEpoch, beyond: int) -> None:
    with refused("OFFSET_OUT_OF_RANGE") as told:
        download(device, epoch, len(epoch.cells) + beyond)
    assert told.code is grpc.StatusCode.OUT_OF_RANGE


def test_the_canary_is_the_picture_of_the_manifest(device: Client, epoch: TestEpoch) -> None:
    answer = device.tables.GetCanary(pb.GetCanaryRequest(manifest_digest=epoch.manifest.digest))
    assert epoch.manifest.canary is not None
    assert answer.name == epoch.manifest.canary.name
    assert hashlib.sha256(answer.picture).digest() == epoch.manifest.canary.sha256


def test_a_list_without_canary_says_so(device: Client, folder: DataFolder) -> None:
    other = TestEpoch.read(folder, WITHOUT_CANARY)
    with refused("CANARY_NONE") as told:
        device.tables.GetCanary(pb.GetCanaryRequest(manifest_digest=other.manifest.digest))
    assert told.code is grpc.StatusCode.NOT_FOUND


CALLS: dict[str, Callable[[bytes], object]] = {
    "GetTableDigests": lambda digest: pb.GetTableDigestsRequest(manifest_digest=digest),
    "GetCanary": lambda digest: pb.GetCanaryRequest(manifest_digest=digest),
    "DownloadTable": lambda digest: pb.DownloadTableRequest(manifest_digest=digest),
}


def call(client: Client, name: str, digest: bytes) -> None:
    """Make a call about a manifest."""
    answer = getattr(client.tables, name)(CALLS[name](digest))
    if name == "DownloadTable":
        list(answer)


@pytest.mark.parametrize("name", CALLS)
def test_an_unknown_digest_is_refused(device: Client, name: str, epoch: TestEpoch) -> None:
    almost = epoch.manifest.digest[:-1] + bytes((epoch.manifest.digest[-1] ^ 1,))
    for digest in (bytes(32), almost):
        with refused("MANIFEST_UNKNOWN"):
            call(device, name, digest)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("size", [0, 16, 31, 33, 4096])
def test_a_digest_of_the_wrong_length_is_refused(device: Client, name: str, size: int) -> None:
    with refused("INVALID_REQUEST") as told:
        call(device, name, bytes(size))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("name", CALLS)
def test_the_table_of_a_retired_epoch_is_refused(device: Client, name: str, folder: DataFolder) -> None:
    retired = TestEpoch.read(folder, RETIRED)
    with refused("EPOCH_RETIRED") as told:
        call(device, name, retired.manifest.digest)
    assert told.code is grpc.StatusCode.FAILED_PRECONDITION


def test_a_table_file_cut_short_ends_the_download_with_an_error(
    device: Client, epoch: TestEpoch, folder: DataFolder
) -> None:
    path = epoch_folder(folder, NEWEST) / TABLE_FILE
    path.chmod(0o600)
    path.write_bytes(epoch.cells[:-1])
    with refused("INTERNAL_ERROR") as told:
        download(device, epoch)
    assert str(path) not in told.text


def test_an_abandoned_download_leaves_the_server_well(device: Client, epoch: TestEpoch) -> None:
    call = device.tables.DownloadTable(pb.DownloadTableRequest(manifest_digest=epoch.manifest.digest))
    next(call)
    call.cancel()
    assert len(download(device, epoch)) == len(chunks(epoch.cells))
