"""An independent implementation of the checks of protocol/SPEC.md: no library, one file a section."""
