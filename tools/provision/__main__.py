"""Command line of the provisioning: make what is missing, or run one Asterisk in the foreground."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from tools.provision.asterisk import AsteriskInstance
from tools.provision.cache import use_cache
from tools.provision.errors import ProvisionError
from tools.provision.mariadb import ensure_mariadb
from tools.provision.root import ensure_asterisk
from tools.provision.say import say


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tools.provision", description=__doc__)
    parser.add_argument("--cache", type=Path, help="where made things are kept (default: WOMBAT_ARI_CACHE or ~/.cache)")
    parser.add_argument("what", nargs="?", default="all", choices=["asterisk", "mariadb", "all", "run-asterisk"])
    parser.add_argument("--dir", type=Path, help="run-asterisk: the instance's folder, kept between runs")
    parser.add_argument("--ami-port", type=int, help="run-asterisk: TCP port of AMI (default: a free one)")
    arguments = parser.parse_args()
    if arguments.what == "run-asterisk" and arguments.dir is None:
        parser.error("run-asterisk needs --dir")
    return arguments


def _run_asterisk(directory: Path, ami_port: int | None) -> None:
    """Run one until Ctrl-C, or until it ends by itself."""
    with AsteriskInstance(directory, ami_port=ami_port) as pbx:
        print(f"Asterisk {pbx.version} runs as process {pbx.pid}; its files are in {pbx.directory}")
        print(f"AMI   {pbx.host}:{pbx.ami_port}   user {pbx.ami_user}   secret {pbx.ami_secret}")
        print(f"ARI   http://{pbx.host}:{pbx.http_port}/ari   user {pbx.ari_user}   password {pbx.ari_password}")
        print(f"SIP   {pbx.host}:{pbx.sip_port} (UDP)")
        print("Trunk Local/${num}@simulated-network/n, end points 100 to 104 and 9XX in simulated-endpoints.")
        print("Ctrl-C ends it.", flush=True)
        while pbx.alive:
            time.sleep(0.5)
        raise ProvisionError("Asterisk ended by itself.", log=pbx.log_tail())


def main() -> int:
    """Do what the command line asks; the exit status is 0, or 1 with the reason on standard error."""
    arguments = _arguments()
    if arguments.cache is not None:
        use_cache(arguments.cache)
    # Ended by a service manager as by Ctrl-C: in good order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.what == "run-asterisk":
            _run_asterisk(arguments.dir, arguments.ami_port)
        if arguments.what in ("asterisk", "all"):
            root = ensure_asterisk()
            say(f"Asterisk {root.version} is ready in {root.path}")
        if arguments.what in ("mariadb", "all"):
            say(f"MariaDB is ready, its template in {ensure_mariadb()}")
    except ProvisionError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 0 if arguments.what == "run-asterisk" else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
