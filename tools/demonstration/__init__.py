"""The README's first command: a campaign of real calls through a real Asterisk, watched in the terminal.

``campaign`` says what is dialled and how each number must end, ``keeper`` holds Asterisk and dialer while the console
is open, ``show`` is what the person at the terminal sees.
"""
