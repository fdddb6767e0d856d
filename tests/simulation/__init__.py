"""Histories of devices and a server, beside a simple model of what must come of them."""
