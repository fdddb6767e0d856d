"""The store: accounts, lists, vouchers and what became of them, in one database."""


class Store:
    """See `tpsi_server.store.database`."""
