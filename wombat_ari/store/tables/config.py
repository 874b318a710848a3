"""Tables of what a person configures: servers, trunks, end points, lists, records, campaigns and their links."""

from peewee import CompositeKey

from wombat_ari.store.tables.base import (
    BaseTable,
    Described,
    big,
    flag,
    ident,
    long_text,
    moment,
    real,
    refers,
    text,
    whole,
)

NAME = 80


class AsteriskServer(Described):
    meaning = "One Asterisk PBX: how to reach it and how fast it may be told things"

    id = ident("identity")
    description = text(NAME, "its name, unique", unique=True)
    address = text(255, "name or IP address")
    port = whole("AMI port")
    login = text(NAME, "AMI user")
    password = long_text("AMI secret, encrypted")
    tls = flag("AMI over TLS")
    unit_length_ms = whole("congestion control: length of a unit")
    max_messages_per_unit = whole("congestion control: actions written in a unit at most")
    ari_url = text(255, "base URL of ARI, empty: no ARI")
    ari_user = text(NAME, "ARI user")
    ari_password = long_text("ARI password, encrypted")
    enabled = flag("whether the dialer connects to it")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")

    class Meta:
        table_name = "asterisk_server"


class Trunk(Described):
    meaning = "Lines to dial out on"

    id = ident("identity")
    server_id = refers(AsteriskServer, "the PBX that has it")
    name = text(NAME, "unique", unique=True)
    dial_string = text(255, "the channel to dial, with ${num} and any ${ATTRIBUTE}")
    capacity = whole("parallel calls at most")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")

    class Meta:
        table_name = "trunk"


class EndPoint(Described):
    meaning = "Where an answered call goes"

    id = ident("identity")
    server_id = refers(AsteriskServer, "the PBX that has it")
    type = text(16, "PHONE, QUEUE or FLOW")
    name = text(NAME, "unique on its server; of a QUEUE exactly the Asterisk queue")
    extension = text(NAME, "extension that an answered call is sent to")
    context = text(NAME, "dialplan context of the extension")
    max_channels = whole("calls at most at a time")
    boost_factor = real("QUEUE: calls placed for each available agent")
    max_waiting = whole("QUEUE: with more callers waiting nothing is placed")
    wrap_up_s = whole("QUEUE: seconds an agent is left alone after a call")
    reverse = flag("QUEUE: the agent is called first")
    manual_preview = flag("QUEUE, reverse: the agent decides")
    description = text(255, "free text")
    dial_find = text(255, "QUEUE, reverse: regular expression looked for in the agent's interface")
    dial_replace = text(255, "QUEUE, reverse: what is dialled in place of it")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")

    class Meta:
        table_name = "end_point"
        indexes = ((("server_id", "name"), True),)


class CallList(Described):
    meaning = "A list of numbers, to be dialled or never to be dialled"

    id = ident("identity")
    name = text(NAME, "unique", unique=True)
    hidden = flag("not shown unless asked for")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")
    records = whole("records on it, kept by who appends them")

    class Meta:
        table_name = "call_list"


class Record(BaseTable):
    meaning = "One number of a list with its attributes; edited but never deleted"

    id = ident("identity; records are dialled in its order")
    list_id = refers(CallList, "the list it stands on", index=False)
    number = text(40, "number as dialled, without blanks and punctuation")
    input_attributes = long_text("JSON object of texts: what goes to Asterisk")
    output_attributes = long_text("JSON object of texts: what calls left")
    wombatid = big("WOMBATID promised for its first attempt, until that is made", null=True)
    not_before = moment("not dialled before this", null=True)

    class Meta:
        table_name = "record"
        indexes = ((("list_id", "id"), False), (("list_id", "number"), False))


class Campaign(Described):
    meaning = "The template of a run: what to dial, when, how and what to do after"

    id = ident("identity")
    name = text(NAME, "unique", unique=True)
    priority = whole("smaller is served first")
    status = text(16, "RUNNABLE, CLOSED, HIDDEN or ERROR")
    idles_on_termination = flag("out of numbers the run waits for more instead of completing")
    batch_size = whole("records read into the hopper at a time")
    start_s = whole("active period: begin, seconds since midnight")
    end_s = whole("active period: last second of it since midnight; before the begin: it spans midnight")
    days = text(7, "active days, 1 is Sunday, 7 is Saturday")
    zone = text(64, "IANA time zone of the period, empty: the dialer's own")
    answer_timeout_ms = whole("how long the callee may ring")
    forced_closure_s = whole("a call connected longer is hung up, 0: never")
    dial_clid = text(255, "caller id shown to the callee, with ${ATTRIBUTE}")
    agent_clid = text(255, "caller id shown to the agent, with ${ATTRIBUTE}")
    dial_account = text(255, "account code, with ${ATTRIBUTE}")
    dial_presentation = text(255, "caller id presentation, with ${ATTRIBUTE}")
    logging = text(16, "NONE or QM_COMPATIBLE (queue_log)")
    logging_alias = text(NAME, "queue name in the queue_log, empty: the campaign's name")
    logging_attributes = text(1000, "attributes told in the queue_log: names, comma separated")
    variables = text(4000, "channel variables of each call: NAME:value,NAME:value with ${ATTRIBUTE}")
    boost = real("factor on the end points' boost with which a run begins")
    starts_paused = flag("a run begins PAUSED")
    http_notify_url = text(1000, "POSTed after each attempt, empty: nothing is")
    notify_secret = long_text("signs the POST, encrypted")
    email_addresses = text(1000, "comma separated")
    email_events = text(16, "NONE, COMPLETION or ALL")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")

    class Meta:
        table_name = "campaign"


class CampaignTrunk(BaseTable):
    meaning = "Trunks that a campaign dials on"

    campaign_id = refers(Campaign, "the campaign", index=False)
    trunk_id = refers(Trunk, "the trunk")
    position = whole("order, from 0")

    class Meta:
        table_name = "campaign_trunk"
        primary_key = CompositeKey("campaign_id", "trunk_id")


class CampaignEndPoint(BaseTable):
    meaning = "End points that a campaign's answered calls go to"

    campaign_id = refers(Campaign, "the campaign", index=False)
    end_point_id = refers(EndPoint, "the end point")
    position = whole("order, from 0")

    class Meta:
        table_name = "campaign_end_point"
        primary_key = CompositeKey("campaign_id", "end_point_id")


class CampaignList(BaseTable):
    meaning = "Lists that a campaign dials, and black lists it must not dial"

    campaign_id = refers(Campaign, "the campaign", index=False)
    list_id = refers(CallList, "the list")
    position = whole("order in which lists are dialled, from 0")
    list_use = text(16, "NORMAL or BLACK")

    class Meta:
        table_name = "campaign_list"
        primary_key = CompositeKey("campaign_id", "list_id")


class RescheduleRule(BaseTable):
    meaning = "When a record is tried again after an outcome"

    id = ident("identity")
    campaign_id = refers(Campaign, "the campaign")
    position = whole("order shown, from 0; it decides nothing")
    status = text(16, "outcome it is for")
    extended_status = text(NAME, "empty: attempts without one; a code; * : any")
    max_attempts = whole("attempts at most")
    retry_after_s = whole("seconds to the next try")
    mode = text(16, "FIXED: always so long; MULTI: times the attempt")

    class Meta:
        table_name = "reschedule_rule"


class OpeningHours(Described):
    meaning = "When calls may be placed, shared by campaigns"

    id = ident("identity")
    name = text(NAME, "unique", unique=True)
    comment = text(255, "free text")
    default_open = flag("open where no rule fits")
    hidden = flag("not shown unless asked for")
    security_key = text(NAME, "key that its viewers must hold, empty: everybody")

    class Meta:
        table_name = "opening_hours"


class OpeningRule(BaseTable):
    meaning = "Lines of opening hours; the first that fits decides"

    id = ident("identity")
    opening_hours_id = refers(OpeningHours, "the opening hours")
    position = whole("order, from 0")
    is_open = flag("open then, else closed")
    from_date = text(10, "first day, YYYY-MM-DD or MM-DD, empty: any")
    to_date = text(10, "last day, YYYY-MM-DD or MM-DD, empty: any")
    days = text(7, "days of the week, 1 is Sunday, 7 is Saturday")
    start_s = whole("begin, seconds since midnight")
    end_s = whole("last second since midnight; before the begin: it spans midnight")
    comment = text(NAME, "free text")

    class Meta:
        table_name = "opening_rule"


class CampaignOpeningHours(BaseTable):
    meaning = "Opening hours that a campaign keeps to: all of them must be open"

    campaign_id = refers(Campaign, "the campaign", index=False)
    opening_hours_id = refers(OpeningHours, "the opening hours")
    position = whole("order, from 0")

    class Meta:
        table_name = "campaign_opening_hours"
        primary_key = CompositeKey("campaign_id", "opening_hours_id")


class DispositionRule(BaseTable):
    meaning = "What is done about an attempt that ended so, besides retrying"

    id = ident("identity")
    campaign_id = refers(Campaign, "the campaign")
    position = whole("order, from 0: all that fit are done, in it")
    status = text(16, "outcome it is for, * : any")
    extended_status = text(NAME, "empty: attempts without one; a code; * : any")
    with_retries = flag("also for attempts that will be retried, else only for those that close their record")
    verb = text(16, "NONE, HTTP_GET, HTTP_POST, ADD_LIST, BLACK_LIST, EMAIL or RESCHEDULE")
    destination = text(1000, "URL, addresses, list or campaign, with ${ATTRIBUTE}")
    body = long_text("text of what is sent, with ${ATTRIBUTE}")
    delay_s = whole("seconds after the attempt ended")
    attributes = text(16, "which attributes go along: ALL, INPUT, OUTPUT or NONE")
    extra = text(2000, "more attributes: NAME:value,NAME:value with ${ATTRIBUTE}")

    class Meta:
        table_name = "disposition_rule"


__all__ = [
    "AsteriskServer",
    "CallList",
    "Campaign",
    "CampaignEndPoint",
    "CampaignList",
    "CampaignOpeningHours",
    "CampaignTrunk",
    "DispositionRule",
    "EndPoint",
    "OpeningHours",
    "OpeningRule",
    "Record",
    "RescheduleRule",
    "Trunk",
]
