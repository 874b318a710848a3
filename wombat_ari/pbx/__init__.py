"""Asterisk: links and servers on the reactor. Knows ``wire`` and ``model`` only, never what a campaign is."""
