"""Decisions: pure functions and small machines. No clock (``now`` comes in), no I/O, no reactor, no chance.

Rules of the place: a machine is told events and answers effects; its table is data, so that the docs, the SQL checks
and the tests are checked against it.
"""
