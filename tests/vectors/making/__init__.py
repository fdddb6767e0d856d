"""How the transcripts are made: the library does the work, with randomness that is written down."""
