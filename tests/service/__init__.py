"""Tests of the server's gRPC service and its TLS."""
