"""The tests of tpsi."""
