"""A real Asterisk and a real MariaDB for this machine, private and disposable.

Only the standard library is used, so that this runs before any virtual environment exists:
``python3 -m tools.provision`` makes what is missing, ``tools.provision.asterisk.AsteriskInstance``
and ``tools.provision.mariadb.MariaDBInstance`` run them.

 module      subject
 debian      the machine's apt: its mirror, installing packages
 cache       where made things are kept, and the lock around making them
 root        an Asterisk to run: the system's own, or Debian's in a private root
 config      an instance's configuration folder, out of ``asterisk_conf/``
 supervise   the small program that stands between us and a server, and ends it when we die
 process     one supervised server: start, stop, kill, freeze, processor time
 asterisk    one Asterisk
 mariadb     one MariaDB
"""

from tools.provision.errors import ProvisionError

__all__ = ["ProvisionError"]
