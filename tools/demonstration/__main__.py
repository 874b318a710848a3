"""``python -m tools.demonstration [stop|status]``: see the README, ``tools/demo``."""

import sys
from pathlib import Path

from tools.demonstration import keeper
from tools.demonstration.show import FOLDER, show

USAGE = "usage: tools/demo [stop|status]"


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            return show(FOLDER())
        case ["stop"]:
            was = keeper.stop(FOLDER())
            print("demo: stopped, nothing is left running" if was else "demo: it was not running")
            return 0
        case ["status"]:
            pid = keeper.running(FOLDER())
            print(f"demo: running, process {pid}" if pid else "demo: not running")
            return 0 if pid else 1
        case ["keep", folder]:
            keeper.keep(Path(folder))
            return 0
    print(USAGE, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
