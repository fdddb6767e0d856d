"""The device of tpsi: pictures, sealing, outbox and upload."""
