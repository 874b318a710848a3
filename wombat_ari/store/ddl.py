"""Writes the schema down from the models: DDL for both databases and the data dictionary.

``python3 -m wombat_ari.store.ddl FOLDER`` (usually ``sql``) writes ``schema.mysql.sql``, ``schema.sqlite.sql`` and
``README.md``. Tests compare the files with what this makes, and databases made by the migrations with it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peewee import CharField, CompositeKey, Field, ForeignKeyField

from wombat_ari.store.tables import ALL, BaseTable, Described

_SQLITE_TYPES = {"BIGAUTO": "INTEGER", "BIGINT": "INTEGER", "INT": "INTEGER", "BOOL": "INTEGER", "DOUBLE": "REAL"}
_MYSQL_TYPES = {"BIGAUTO": "BIGINT", "INT": "INTEGER", "BOOL": "TINYINT(1)"}
_MYSQL_OPTIONS = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

_HEAD = """-- Wombat ARI, schema for {name}. Generated from the models by: python3 -m wombat_ari.store.ddl sql
-- The dialer makes and upgrades its tables itself (wombat_ari/store/migrations); this file is for reading.
"""


def statements(kind: str) -> list[str]:
    """All CREATE statements for ``sqlite`` or ``mysql``, in order."""
    return [statement for table in ALL for statement in _table(table, kind)]


def script(kind: str) -> str:
    name = "SQLite" if kind == "sqlite" else "MariaDB and MySQL"
    return _HEAD.format(name=name) + "\n" + "\n\n".join(f"{statement};" for statement in statements(kind)) + "\n"


def dictionary() -> str:
    """The data dictionary, Markdown."""
    return _DICTIONARY_HEAD + "\n".join(_chapter(table) for table in ALL)


def columns(table: type[BaseTable]) -> list[Field]:
    """In the order of the DDL: identity first, what every configured thing has last."""
    common = set(Described._meta.fields) - {"id"} if issubclass(table, Described) else set()
    fields = table._meta.sorted_fields
    return [f for f in fields if f.name not in common] + [f for f in fields if f.name in common]


def indexes(table: type[BaseTable]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Column names and uniqueness of each index that is not the primary key."""
    for field in columns(table):
        if (field.index or field.unique) and not field.primary_key:
            yield (field.column_name,), field.unique
    yield from ((tuple(names), unique) for names, unique in table._meta.indexes)


def _table(table: type[BaseTable], kind: str) -> Iterator[str]:
    name = table._meta.table_name
    lines = [_column(field, kind) for field in columns(table)]
    lines += [f"PRIMARY KEY ({', '.join(_primary(table))})"] if _needs_key_line(table, kind) else []
    if kind == "mysql":
        lines += [f"{'UNIQUE ' if u else ''}KEY {_index_name(name, c)} ({', '.join(c)})" for c, u in indexes(table)]
    lines += [_reference(name, field) for field in columns(table) if isinstance(field, ForeignKeyField)]
    options = f" {_MYSQL_OPTIONS} COMMENT={_quoted(table.meaning)}" if kind == "mysql" else ""
    yield f"CREATE TABLE {name} (\n    " + ",\n    ".join(lines) + f"\n){options}"
    if kind == "sqlite":
        for names, unique in indexes(table):
            prefix = "CREATE UNIQUE INDEX" if unique else "CREATE INDEX"
            yield f"{prefix} {_index_name(name, names)} ON {name} ({', '.join(names)})"


def _column(field: Field, kind: str) -> str:
    words = [field.column_name, _type(field, kind)]
    if field.field_type == "BIGAUTO" and kind == "sqlite":
        words.append("PRIMARY KEY AUTOINCREMENT")  # never gives an id out twice, as MySQL
    words.append("NULL" if field.null else "NOT NULL")
    if field.field_type == "BIGAUTO" and kind == "mysql":
        words.append("AUTO_INCREMENT")
    if kind == "mysql":
        words.append(f"COMMENT {_quoted(field.help_text)}")
    return " ".join(words)


def _type(field: Field, kind: str) -> str:
    name = field.rel_field.field_type if isinstance(field, ForeignKeyField) else field.field_type
    name = "BIGINT" if isinstance(field, ForeignKeyField) and name == "BIGAUTO" else name
    if isinstance(field, CharField):
        return f"VARCHAR({field.max_length})"
    if kind == "sqlite":
        return "TEXT" if name == "MEDIUMTEXT" else _SQLITE_TYPES.get(name, name)
    return _MYSQL_TYPES.get(name, name)


def _needs_key_line(table: type[BaseTable], kind: str) -> bool:
    key: Any = table._meta.primary_key
    return isinstance(key, CompositeKey) or kind == "mysql" or key.field_type != "BIGAUTO"


def _primary(table: type[BaseTable]) -> list[str]:
    key: Any = table._meta.primary_key
    names = key.field_names if isinstance(key, CompositeKey) else [key.name]
    return [table._meta.fields[name].column_name for name in names]


def _index_name(table: str, names: tuple[str, ...]) -> str:
    return f"{table}_by_{'_'.join(names)}"


def _reference(table: str, field: ForeignKeyField) -> str:
    to = field.rel_model._meta.table_name
    return f"CONSTRAINT {table}_{field.column_name} FOREIGN KEY ({field.column_name}) REFERENCES {to} (id)"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


_DICTIONARY_HEAD = """# Data dictionary

Generated from the models by `python3 -m wombat_ari.store.ddl sql`; `docs/data-model.md` tells how the tables work
together. `schema.mysql.sql` and `schema.sqlite.sql` are the same tables as DDL; `reports/` holds queries for your own
tools. Moments are epoch seconds in UTC: `FROM_UNIXTIME(attempted_at)` on MySQL, `datetime(attempted_at, 'unixepoch')`
on SQLite.

"""


def _chapter(table: type[BaseTable]) -> str:
    rows = "\n".join(_line(field) for field in columns(table))
    keys = ", ".join(_primary(table))
    names = [f"{'unique ' if unique else ''}({', '.join(c)})" for c, unique in indexes(table)]
    more = f" Indexes: {'; '.join(names)}." if names else ""
    head = f"## {table._meta.table_name}\n\n{table.meaning}.\nPrimary key: {keys}.{more}\n\n"
    return head + f"| column | type | meaning |\n| --- | --- | --- |\n{rows}\n"


def _line(field: Field) -> str:
    kind = _type(field, "mysql") + (", may be NULL" if field.null else "")
    to = f"; refers to {field.rel_model._meta.table_name}" if isinstance(field, ForeignKeyField) else ""
    return f"| {field.column_name} | {kind} | {field.help_text}{to} |"


def write(folder: Path) -> None:
    (folder / "schema.mysql.sql").write_text(script("mysql"), encoding="utf-8")
    (folder / "schema.sqlite.sql").write_text(script("sqlite"), encoding="utf-8")
    (folder / "README.md").write_text(dictionary(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "sql"))
