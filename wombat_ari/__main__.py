"""``python -m wombat_ari`` is the command ``wombat-ari``."""

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Ctrl-C counts from the first moment, while the rest is imported."""
    try:
        from wombat_ari.app.cli import main as command

        command()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
