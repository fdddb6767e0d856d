"""Tests of the server apart from its readers and its network."""
