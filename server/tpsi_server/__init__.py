"""The server of tpsi: lists, tables, vouchers, matching and reveals."""
