"""Setting up a data folder: identity, signing key and an empty store, or nothing at all."""

import secrets

from tpsi import Rng, Secret
from tpsi.manifest import LIST_ID_SIZE
from tpsi_server.config import DataFolder, ServerIdentity
from tpsi_server.errors import OperatorError
from tpsi_server.keyfile import DEFAULT_COST, Cost
from tpsi_server.keys import SIGNING_KEY_FILE, KeyRing, data_key_path
from tpsi_server.store import FIRST_DATA_KEY, Store


def check_free(folder: DataFolder) -> None:
    """OperatorError unless a server can be set up here."""
    if folder.is_set_up:
        raise OperatorError(f"{folder.path} is set up already: choose another folder with --data")
    here = (folder.database,) if folder.location == folder.database else ()
    for path in (*here, folder.keys / SIGNING_KEY_FILE, data_key_path(folder.keys, FIRST_DATA_KEY)):
        if path.exists():
            raise OperatorError(f"there is a file {path} already: choose other folders, or remove what is left there")


def set_up(
    folder: DataFolder,
    name: str,
    passphrase: Secret,
    *,
    cost: Cost = DEFAULT_COST,
    rng: Rng = secrets.token_bytes,
) -> ServerIdentity:
    """Make a server for a new list of this name.

    Raises OperatorError if the folder is in use, CallerError for an unusable name. `server.json` is
    written last: without it nothing else counts.
    """
    ServerIdentity(bytes(16), name, bytes(32))  # the name is checked before anything is made
    check_free(folder)
    keys = KeyRing(folder.keys, passphrase, cost=cost, rng=rng)
    list_id = rng(LIST_ID_SIZE)
    folder.make_folders()
    try:
        identity = ServerIdentity(list_id, name, keys.create_signing_key(list_id))
        keys.create_data_key(list_id, FIRST_DATA_KEY)
        Store.create(folder.location).close()
        try:
            folder.write_identity(identity)
        except BaseException:
            Store.destroy(folder.location)
            raise
    except BaseException:
        keys.signing_key_path.unlink(missing_ok=True)
        data_key_path(folder.keys, FIRST_DATA_KEY).unlink(missing_ok=True)
        raise
    return identity
