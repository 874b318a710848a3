"""A fake PBX in a process of its own, for load: ``python -m tools.bench.load_pbx PORT``, until it is ended."""

import sys
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.task import LoopingCall

from tools.fake_pbx import FakePbx

reactor: Any = _reactor


def main() -> None:
    pbx = FakePbx(reactor, users={"wombat": "dials"})
    pbx.listen(int(sys.argv[1]))
    LoopingCall(_forget, pbx).start(1.0)
    reactor.run()


def _forget(pbx: FakePbx) -> None:
    """What tests look at would fill the memory."""
    pbx.originates.clear()
    pbx.actions.clear()
    pbx.received.clear()
    pbx.notes.clear()


if __name__ == "__main__":
    main()
