"""IVR flows: what an answered caller goes through, written in Python by the site.

Three parties, and what stands between them:

    a flow    ``async def survey(call)`` in a file of the site            asks  ``call``    (flows/call)
    a carrier the FastAGI session, a Stasis channel, a scripted caller    is a  ``Line``    (flows/line)
    the dialer: status, attributes, speech, new calls                     is an ``Office``  (flows/line)

Rules of the place:
- A flow is the site's code: it may block, raise, leak or never end. It runs in a process of its own (``host``, a thread
  a flow), which the dialer starts, watches and replaces (``keeper``). Only words go between them (``words``).
- A carrier is the dialer's code: it runs on the reactor, never blocks, and knows no flow.
"""
