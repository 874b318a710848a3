"""mysqlclient's connection, quicker at spelling values. Imported only where a MySQL is used: the driver is an extra."""

from typing import Any

from MySQLdb.connections import Connection as _Connection


class Connection(_Connection):
    """Half of what a batch of calls writes is whole numbers and NULL; the driver looks a converter up for each."""

    def literal(self, o: Any) -> bytes:
        """A value as SQL."""
        kind = type(o)
        if kind is int:
            return b"%d" % o
        if kind is str:
            return self.string_literal(o.encode(self.encoding))
        return b"NULL" if o is None else super().literal(o)
