"""Wiring, processes and the command line: the one place where settings, clocks, sockets and signals meet the engine."""
