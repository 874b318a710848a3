"""A fake Asterisk for speed and for faults: an AMI server that plays what a real one said, on any clock.

``FakePbx(clock)`` with ``AmiDriver(server, clock=clock, endpoint=pbx.endpoint())`` needs no socket; on a ``QuickClock``
an hour of calls takes seconds. ``pbx.listen()`` serves the same on the loopback. Numbers behave as in the simulated
network of ``asterisk_conf`` (see ``scenes``), end points as in its simulated end points.
"""

from tools.fake_pbx.clock import QuickClock
from tools.fake_pbx.pbx import FakePbx
from tools.fake_pbx.queues import FakeAgent, FakeQueue

__all__ = ["FakeAgent", "FakePbx", "FakeQueue", "QuickClock"]
