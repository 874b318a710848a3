"""AGI programs for a PBX: each is one file, copied there and run by Asterisk (docs/agi-scripts.md).

Made of ``tools/agi_scripts`` by ``python -m tools.agi_scripts``: change them there; a test compares.

Rules of the place: the standard library of Python 3.7 to now; nothing of ours is imported, and no script imports
another. ``--help`` prints the docstring. Whatever happens is told in WOMBAT_AGI_RESULT and by the exit status; a
hang-up is no reason to lose what was to be told; every wait has an end. What comes from the channel is never evaluated.
"""
