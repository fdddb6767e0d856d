"""Faults: power cuts, kills, full disks, restarts of the database, while vouchers come in and are matched.

`python -m tests.faults` runs them for as long as one likes; the test suite runs a few of each.
"""
