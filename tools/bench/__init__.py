"""Benchmarks: one command each, a few minutes at most, figures beside a peer or a limit taken in the same run.

``docs/performance.md`` has the table of them. Progress goes to standard error, the figures to standard output, as text
or with ``--json``. All traffic is on the loopback interface, and what a benchmark started it ends.
"""
