"""The demonstration: a server, five devices, real photographs, and what each of them learns."""
