"""Audit: proofs, their encodings, and attacks on them."""
