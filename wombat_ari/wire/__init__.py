"""Spelling: AMI and FastAGI as bytes in, words out, and the other way round.

Rules of the place: pure. No Twisted, no socket, no clock, no logging: a text or a byte goes in, a value comes out, an
error names the thing that is wrong. Nothing here knows when or to whom a byte is sent.
"""
