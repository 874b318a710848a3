"""The dialer over HTTP.

The compatible API, because it answers: was it done, was it not, or is that not known?
"""

import configparser
import http.client
import os
import signal
import urllib.parse

from tools.agi_scripts.parts.agi import Trouble, whole


class Refused(Trouble):
    """The dialer said no: nothing was done."""


class Unreached(Trouble):
    """The dialer was not reached: nothing was done."""


class Unsure(Trouble):
    """The dialer was asked and did not answer: whether it was done is not known."""


def settings(options):
    """url, token and timeout of the dialer: from the options, the environment, the file wombat-agi.conf."""
    path = os.path.join(os.environ.get("AST_CONFIG_DIR", "/etc/asterisk"), "wombat-agi.conf")
    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read(os.environ.get("WOMBAT_AGI_CONF", path), encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {str(error).splitlines()[0]}") from None

    def one(name, default):
        given = options.get(name) or os.environ.get("WOMBAT_AGI_" + name.upper())
        return (given or file.get("dialer", name, fallback=default)).strip()

    found = {"url": one("url", "http://127.0.0.1:8080/wombat/api"), "token": options["token"].strip()}
    if not options["url"]:
        found["token"] = one("token", "")  # never told to whoever else is named by --url
    return dict(found, timeout=whole({"timeout": one("timeout", "5")}, "timeout"))


def ask_dialer(dialer, **fields):
    """One control call (``calls/``) of the compatible API; what it answers behind OK."""
    address = urllib.parse.urlsplit(dialer["url"])
    kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}.get(address.scheme)
    if kind is None or not address.hostname:
        raise Trouble("the address of the dialer is {!r}: it must begin with http:// or https://".format(dialer["url"]))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if dialer["token"]:
        headers["Authorization"] = "Bearer " + dialer["token"]
    form = urllib.parse.urlencode(fields, errors="replace")
    connection = kind(address.hostname, address.port, timeout=dialer["timeout"])

    def too_late(*_):
        raise OSError("no answer within " + str(dialer["timeout"]) + " s")

    signal.signal(signal.SIGALRM, too_late)  # the limit of a socket is for each byte, this one for all of it
    signal.setitimer(signal.ITIMER_REAL, dialer["timeout"])
    try:
        _connect(connection, address.netloc.rpartition("@")[2])
        connection.request("POST", address.path.rstrip("/") + "/calls/", body=form, headers=headers)
        answer = connection.getresponse()
        text = answer.read(65536).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise Unsure("the dialer was asked and did not answer (%s)" % (error or type(error).__name__)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        connection.close()
    return _understood(answer.status, text)


def _connect(connection, where):
    try:
        connection.connect()
    except (OSError, UnicodeError) as error:
        raise Unreached(f"the dialer at {where} cannot be reached: {error}") from None


def _understood(status, text):
    """What stands behind OK."""
    if status == 200 and text.startswith("OK"):
        return text[2:].lstrip(":").strip()
    reason = text[6:].strip() if text.startswith("ERROR:") else f"status {status}"
    # "did not answer": the console asked the dialer, which may have done it all the same.
    if 400 <= status < 500 or (text.startswith("ERROR:") and status != 500 and "did not answer" not in text):
        hint = " (this address is not in api.open_to, and the token is missing or wrong)" if status == 401 else ""
        raise Refused(reason + hint)
    raise Unsure(reason)
