"""Tables of the dialer at work: runs, open attempts, open retries and the call log, which together are the ledger."""

from peewee import CompositeKey

from wombat_ari.store.tables.base import BaseTable, big, flag, ident, long_text, moment, real, refers, text, whole
from wombat_ari.store.tables.config import NAME, CallList, Campaign


class IdBlock(BaseTable):
    meaning = "Next free WOMBATID; one row, taken from in the transaction that claims the records"

    name = text(16, "what the ids are for", primary_key=True)
    next_id = big("the next one to give out")

    class Meta:
        table_name = "id_block"


class Run(BaseTable):
    meaning = "One execution of a campaign with its ledger: taken = closed + open attempts + open_retries"

    id = ident("identity")
    campaign_id = refers(Campaign, "the campaign")
    campaign_name = text(NAME, "its name when the run began")
    name = text(120, "campaign and start time")
    state = text(16, "RUNNABLE, RUNNING, WRONG_TIME, PAUSED, IDLE, COMPLETED or REMOVED")
    live_campaign_id = big(
        "the campaign while the run is live, else NULL: unique, so one live run at most", null=True, unique=True
    )
    boost = real("factor on the end points' own boost")
    started_at = moment("when it was started", index=True)
    started_by = text(NAME, "login of who started it")
    state_at = moment("when the state was entered")
    ended_at = moment("when it completed or was removed", null=True)
    taken = whole("records taken from the lists")
    closed = whole("records closed for good")
    attempts = whole("attempts ended, black-listed ones included")
    answered = whole("attempts that were answered")
    rescheduled = whole("attempts that led to a retry")
    open_retries = whole("rows of open_retry")
    dropped = whole("records given up because the run was removed; a part of closed")

    class Meta:
        table_name = "run"


class RunList(BaseTable):
    meaning = "Lists of a run and how far they are"

    run_id = refers(Run, "the run", index=False)
    list_id = refers(CallList, "the list")
    position = whole("order, from 0")
    paused = flag("nothing new is taken from it")
    high_water = big("id of the last record taken, 0 before the first")
    taken = whole("records taken from it")

    class Meta:
        table_name = "run_list"
        primary_key = CompositeKey("run_id", "list_id")


class Attempt(BaseTable):
    meaning = "An open attempt: in the hopper or in progress. What it is dialled with is kept as it was when claimed"

    wombatid = big("identity of the attempt everywhere", primary_key=True)
    run_id = big("the run", index=True)
    record_id = big("the record")
    list_id = big("the list")
    list_name = text(NAME, "its name when claimed")
    number = text(40, "number dialled")
    attempt = whole("number of this try of the record in this run, 1 is the first")
    input_attributes = long_text("JSON object of texts, as claimed")
    output_attributes = long_text("JSON object of texts, as claimed")
    state = text(16, "state of the call")
    state_at = moment("when the state was entered")
    server_id = big("PBX it was assigned to", null=True)
    trunk_id = big("trunk it was assigned to", null=True)
    end_point_id = big("end point it was assigned to", null=True)
    requested_at = moment("when it was made durable that it may be dialled", null=True)
    dialling_at = moment("when the PBX made the channel", null=True)
    connected_at = moment("when the callee answered", null=True)
    agent = text(NAME, "reverse: agent whose phone is called first", null=True)
    agent_interface = text(255, "reverse: that phone, as Asterisk names it", null=True)

    class Meta:
        table_name = "attempt"


class OpenRetry(BaseTable):
    meaning = "A record of a run that waits for its next try"

    run_id = big("the run")
    record_id = big("the record")
    due_at = moment("when it may be dialled again")
    attempt = whole("number that the next try will have")
    wombatid = big("WOMBATID promised for that try", null=True)

    class Meta:
        table_name = "open_retry"
        primary_key = CompositeKey("run_id", "record_id")
        indexes = ((("run_id", "due_at"), False),)


class CallLog(BaseTable):
    meaning = "One row an attempt that ended; names are as they were then"

    wombatid = big("identity of the attempt, also the log id", primary_key=True)
    run_id = big("the run")
    run_name = text(120, "campaign and start time of the run")
    campaign_id = big("the campaign")
    campaign_name = text(NAME, "its name then")
    list_id = big("the list")
    list_name = text(NAME, "its name then")
    record_id = big("the record", index=True)
    number = text(40, "number dialled")
    attempt = whole("number of this try, 1 is the first (retry number + 1)")
    outcome = text(16, "TERMINATED or an RS_ code")
    extended_status = text(NAME, "code that dialplan or agent set, empty: none")
    attempted_at = moment("when the call was requested", index=True)
    ended_at = moment("when it ended")
    wait_pre_ms = whole("request to channel")
    wait_after_ms = whole("channel to answer")
    talk_ms = whole("answer to end")
    retry_in_s = whole("seconds to the next try, 0: the record is closed")
    server_id = big("PBX it was placed on", null=True)
    trunk_id = big("trunk it was placed on", null=True)
    trunk_name = text(NAME, "its name then")
    end_point_id = big("end point it was for", null=True)
    end_point_name = text(NAME, "its name then")
    agent = text(NAME, "agent who took it")
    channel = text(NAME, "Asterisk channel")
    unique_id = text(NAME, "Asterisk unique id")
    cause = whole("hang-up cause (Q.850)", null=True)
    sip_code = text(NAME, "technology's own cause, where told")
    dial_status = text(16, "DialStatus, where told")
    message = text(255, "what went wrong, in words")
    input_attributes = long_text("JSON object of texts: what it was dialled with")
    output_attributes = long_text("JSON object of texts: what it left")

    class Meta:
        table_name = "call_log"
        indexes = ((("run_id", "wombatid"), False),)


class Outbox(BaseTable):
    meaning = "What is still to be told or done outside the calls: written with what it is about, deleted when done"

    id = ident("identity; rows of one sequence are done in its order")
    kind = text(16, "NOTIFY (the campaign's URL), HTTP_GET, HTTP_POST, EMAIL, ADD_LIST, BLACK_LIST or RESCHEDULE")
    state = text(16, "WAITING, or PARKED: given up, until somebody replays or deletes it")
    receiver = text(255, "who it is for: host of the URL, mail server, list or campaign")
    sequence = text(NAME, "rows with the same one wait for each other; empty: it waits for none")
    campaign_id = big("the campaign", null=True)
    run_id = big("the run", null=True)
    wombatid = big("the attempt it is about", null=True)
    payload = long_text("JSON object: what is sent or done")
    created_at = moment("when it was written")
    due_at = moment("when it is tried next")
    first_due_at = moment("when it was due first, or replayed: giving up counts from here")
    tries = whole("tries so far")
    error = text(255, "what went wrong last, in words")

    class Meta:
        table_name = "outbox"
        indexes = ((("state", "receiver", "due_at"), False), (("sequence", "id"), False))
