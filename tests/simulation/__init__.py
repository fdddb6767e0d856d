"""A simulation: whole histories of devices and a server under a hostile network, beside a model of what must hold.

Devices, server, store, tables, matching and examination are the real ones. Only the transport is replaced, by one that
loses, repeats, reorders and delays; processes die by being dropped and opened again from what is on the disk; time
passes when the history says so. `python -m tests.simulation` runs as many histories as one likes; see README.md here.
"""
