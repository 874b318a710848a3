"""Who takes what goes outside, from the settings: the mail server, how much at once, when to give up."""

from wombat_ari.app.config import Settings
from wombat_ari.engine.deliver import DeliverLimits
from wombat_ari.model.secret import Secret
from wombat_ari.notify.mail import MailServer

NO_SERVER = "no mail server is configured: e-mails of {campaigns} are parked; set mail.server"


def mail_server_of(settings: Settings) -> MailServer | None:
    """None: e-mails are parked."""
    if not settings["mail.server"]:
        return None
    return MailServer(
        host=settings["mail.server"],
        sender=settings["mail.from"] or f"wombat-ari@{settings.node}",
        port=settings["mail.port"],
        security=settings["mail.security"],
        user=settings["mail.user"],
        password=Secret(settings["mail.password"]),
    )


def limits_of(settings: Settings) -> DeliverLimits:
    return DeliverLimits(
        in_flight=settings["notify.in_flight"],
        per_receiver=settings["notify.per_receiver"],
        give_up_s=settings["notify.give_up_hours"] * 3600.0,
    )


def complaint(settings: Settings, campaigns: list[str]) -> str:
    """What is wrong when ``campaigns`` want to send e-mails. Empty: nothing is."""
    if settings["mail.server"] or not campaigns:
        return ""
    return NO_SERVER.format(campaigns=", ".join(campaigns[:5]) + (" and others" if len(campaigns) > 5 else ""))
