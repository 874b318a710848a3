"""What people and programs may ask: one module a subject, the same functions for console, both HTTP APIs and others.

Each function takes the ``Caller`` first and the database second, checks by ``rights`` what the caller may, does it by
the store (or asks the dialer), and notes changes in the system log. Refusals are UserErrors with a stable ``code``;
what a caller may not see is refused in the words of what does not exist. Functions block: never call them on a reactor.
"""
