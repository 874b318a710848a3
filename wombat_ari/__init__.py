"""Wombat ARI, an outbound dialer for Asterisk. How a list becomes calls, in nine steps; each has a noun that decides
(pure: no clock, no I/O) and a verb that does (on the reactor)::

    step                   decides (pure)                       does (reactor)
    1 list                 core/numbers                         store/lists (in a thread)
    2 hopper               core/hopper                          engine/refill   <- store/claims (black list, ids)
    3 scheduler            core/turns core/hours core/lines     engine/schedule
    4 PBX                  core/request  wire/ami               engine/dial -> pbx/
    5 events               wire/ami_events  model/events        engine/follow
    6 call state machine   core/call                            engine/follow
    7 outcome              core/outcome                         engine/settle
    8 reschedule           core/reschedule                      engine/settle   (a BUSY becomes a retry here)
    9 log                  model/calls                          bridge/journal -> store/journal
      around it: run       core/run   core/queue core/pacing    engine/supervise, equip, observe, recover, publish, ...

Imports go down only: webui, agi_scripts -> app -> engine -> bridge -> pbx | store -> core | wire -> model
(contracts in setup.cfg, checked by tools/check). docs/architecture.md tells the rest.
"""

__version__ = "0.1.0"
