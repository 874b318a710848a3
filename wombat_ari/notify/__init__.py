"""Edge: tells those outside, by HTTP and by e-mail, one errand at a time; knows no campaign and no table.

A try always answers a ``Receipt``; whether and when it is tried again is the engine's business (``engine/deliver``).
"""
