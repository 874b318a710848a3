"""``python -m tools.screenshots [NAME ...]``: takes all pictures, or those named, to docs/screenshots."""

import sys
import tempfile
from pathlib import Path

from tools.docs.__main__ import ROOT
from tools.screenshots.shots import take
from tools.screenshots.stage import staged

FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 3_000_000


def main(wanted: list[str]) -> int:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wombat-screenshots-") as folder, staged(Path(folder)) as stage:
        for file in take(stage, FOLDER, wanted):
            print(f"{file.stat().st_size // 1000:5} kB  {file.relative_to(ROOT)}")
    size = sum(file.stat().st_size for file in FOLDER.glob("*.png"))
    print(f"{size // 1000:5} kB  in all")
    return 0 if size < MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
