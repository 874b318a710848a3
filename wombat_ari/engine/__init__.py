"""Verbs on the reactor: each module does one step of a call's way (see ``wombat_ari/__init__.py``).

Rules of the place: nothing blocks; decisions are asked of ``core``, done by ``pbx`` and ``bridge``; ``board`` is the
one shared picture of what is going on. Broad ``except`` only in the named fences, which log and let the others live.
"""
