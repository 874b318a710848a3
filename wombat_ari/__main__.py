"""``python -m wombat_ari`` is the command ``wombat-ari``."""

from wombat_ari.app.cli import main

if __name__ == "__main__":
    main()
