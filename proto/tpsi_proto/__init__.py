"""The wire contract `tpsi.v1`: the `.proto` file and the code generated from it."""
