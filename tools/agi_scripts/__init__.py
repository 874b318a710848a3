"""The AGI programs of ``agi_scripts/`` are made here: each of its own source and of the parts that it shares.

    programs/NAME.py   what one program does; its docstring is what ``--help`` prints
    parts/NAME.py      what several need: the channel, the dialer over HTTP, ...

    python -m tools.agi_scripts            writes agi_scripts/*.py
    python -m tools.agi_scripts --check    only says which of them are not up to date (a test asks the same)

On a PBX each program is one file that imports the standard library alone. So a program and its parts import only that
and parts of this folder (``from tools.agi_scripts.parts.NAME import ...``), both at the top; the parts' text is put
where those imports were. What they call things must differ from one another: it all becomes one module.
"""
