"""Fuzzing: every decoder that takes octets from outside."""
