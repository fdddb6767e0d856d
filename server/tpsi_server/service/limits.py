"""Bounds of the service, each with its reason."""

from tpsi.merkle import CHUNK_SIZE
from tpsi_server.ingest import MAX_BATCH

#: Octets of the vouchers of one batch: with as many batches in flight, 16 MiB of memory for an upload.
MAX_BATCH_BYTES = 4 << 20
#: Batches of one upload that are taken before the first of them is acknowledged: enough to keep the store busy.
BATCHES_IN_FLIGHT = 4
#: Octets of batches that all uploads together hold until they are stored, and that may wait for a place among them; of
#: either an account has a quarter at most (`Budget.PART`).
HELD_OCTETS, WAITING_OCTETS = 64 << 20, 64 << 20
#: Uploads of one account at a time, and calls of one caller; calls of nobody in particular from one address.
UPLOADS_AN_ACCOUNT, CALLS_A_CALLER, OPEN_CALLS = 8, 64, 16
#: Seconds of vouchers at an account's pace that it may be ahead of it, and that a batch is made to wait.
AHEAD, PATIENCE = 5.0, 5.0
#: Seconds in which a message has to come, or to be read, unless it is the server that is waited for.
STALLED = 60.0
#: What gRPC takes as one message. A batch that is a little too large can be refused by name, a larger one is not read.
MAX_MESSAGE = 5 << 20
#: Octets of a message to an open call: the name of a service, or of something in the contract.
MAX_OPEN_MESSAGE = 4096
#: Fields of a message: the vouchers of a batch, its number, and some that a newer device may add.
MAX_FIELDS = MAX_BATCH + 16
#: Octets of a table that are read at a time for one download.
READ_SIZE = 4 * CHUNK_SIZE
#: Calls at one time in all: each holds a few pages of memory until it sends something.
MAX_CALLS = 4096
#: Calls at one time in one connection.
MAX_CALLS_A_CONNECTION = 64
#: Headers of one call, in octets: a token and a few names.
MAX_METADATA = 8 << 10
#: Characters of the authorization header.
MAX_AUTHORIZATION = 1024
#: Entries of the log in one answer: a quarter of a megabyte.
MAX_ENTRIES = 1000
#: Notices in one answer, to which the rest of a batch may come: two megabytes at most.
MAX_NOTICES = 1000
#: Accounts in one answer.
DEFAULT_PAGE, MAX_PAGE = 100, 1000

#: Milliseconds that a peer has for its TLS handshake.
HANDSHAKE_TIMEOUT = 10_000
#: Milliseconds of silence after which a connection is probed, and within which a probe must be answered.
KEEPALIVE_TIME, KEEPALIVE_TIMEOUT = 60_000, 20_000
#: Milliseconds that must pass between the probes of a peer, which is disconnected otherwise.
LEAST_PING_INTERVAL = 10_000
#: Milliseconds after which a connection without calls is closed: also that of a caller who was revoked, which gRPC for
#: Python gives no other way to cut. Who comes back later connects anew.
IDLE_TIMEOUT = 60_000

#: Seconds between two looks at what was revoked.
VIGIL_PERIOD = 0.5

#: Seconds that calls under way have to finish after a signal to stop; the rest of the 15 s is for closing the store.
DRAIN_GRACE = 10.0
#: Seconds that watchers of the service's health have to learn that it stops.
FAREWELL = 0.5
