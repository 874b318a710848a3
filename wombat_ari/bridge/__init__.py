"""Threads: the only way from the reactor to the database. Jobs go in as plain functions, Deferreds come back.

Rules of the place: ``db-write`` and ``db-urgent`` are one thread each, in order; ``db-read`` are three. Nothing here
decides.
"""
