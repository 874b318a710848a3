"""The database: every SQL statement of the project is in here. Blocks, so it runs in threads only.

Rules of the place: a store function takes the ``Database`` handle first, does ONE transaction, and returns model
values; rows never leave. The clock comes in as ``now`` (epoch seconds). Secrets are encrypted before they reach SQL.
Driver errors become ``StoreError`` (``transient`` says whether to try again), a user's mistakes become ``UserError``.
Imports ``core``, ``wire`` and ``model`` only. ``docs/data-model.md`` tells the tables and why they are so.
"""
