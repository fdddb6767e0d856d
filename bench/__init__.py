"""The benchmark: what each step of the protocol costs, beside a peer and beside the machine's own limits."""
