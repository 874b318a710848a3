"""Words: every noun of the dialer as a frozen value or a string enum. Imports nothing but the standard library.

Rules of the place: no behaviour beyond checking a value; times are epoch seconds (float, UTC), durations that a
report shows are whole milliseconds and end in ``_ms``; an enum's value is what is stored, sent and shown.
"""
