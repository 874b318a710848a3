"""Threads: the only way from the reactor to the database. Jobs go in as plain functions, Deferreds come back.

Rules of the place: ``db-write`` is one thread, in order; ``db-read`` are three. Nothing here decides.
"""
