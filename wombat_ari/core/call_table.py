"""Which event the call machine knows in which state, what is done then, and where it may lead.

Data: docs/architecture.md draws its diagram from it, the tests walk it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from wombat_ari.core import call_reconcile as recon
from wombat_ari.core import call_reverse as reverse
from wombat_ari.core import call_steps as steps
from wombat_ari.model import events as ev
from wombat_ari.model.effects import Effect
from wombat_ari.model.states import CallState

S = CallState


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the table: what is done, and the states it may lead to."""

    do: Callable[..., list[Effect]]
    to: frozenset[CallState]


def _step(action: Callable[..., list[Effect]], *to: CallState) -> Step:
    return Step(action, frozenset(to))


def _table() -> dict[CallState, dict[type[ev.CallEvent], Step]]:
    from_dialplan: dict[type[ev.CallEvent], Callable[..., list[Effect]]] = {
        ev.StatusSet: steps.status,
        ev.AttributeSet: steps.attribute,
        ev.AttributeAppended: steps.append,
        ev.AttributeCleared: steps.clear,
        ev.AgentConnected: steps.agent,
        ev.AgentHungUp: steps.agent_hung_up,
        ev.EndPointSeen: steps.end_point,
        # Direct: an agent behind a queue is rung.
        ev.LegDialled: steps.nothing,
        ev.CalleeEnded: steps.nothing,
    }

    def told(state: CallState) -> dict[type[ev.CallEvent], Step]:
        return {event: _step(action, state) for event, action in from_dialplan.items()}

    requested = {
        ev.Recorded: _step(steps.nothing, S.REQUESTED),
        ev.Accepted: _step(steps.accepted, S.REQUESTED),
        ev.Refused: _step(steps.refused, S.ENDED),
        ev.ChannelCreated: _step(steps.channel, S.DIALLING, S.REQUESTED),
        ev.Answered: _step(steps.answered, S.CONNECTED),
        ev.OriginateSucceeded: _step(steps.answered, S.CONNECTED),
        ev.OriginateFailed: _step(steps.failed, S.CLOSING),
        ev.DialEnded: _step(steps.dial_ended, S.REQUESTED),
        ev.LegHungUp: _step(steps.leg_hung_up, S.REQUESTED),
        ev.HungUp: _step(steps.hung_up, S.CLOSING),
        ev.HangUpAsked: _step(steps.hang_up_asked, S.REQUESTED),
        ev.LinkBroke: _step(recon.link_broke, S.REQUESTED),
        ev.PbxStopped: _step(recon.pbx_stopped, S.ENDED),
        ev.FoundLive: _step(recon.found_live, S.DIALLING, S.CONNECTED),
        ev.FoundGone: _step(recon.found_gone, S.ENDED),
        ev.TraceFound: _step(recon.trace_found, S.ENDED),
        ev.TimeUp: _step(steps.time_up, S.REQUESTED),
    }
    dialling = {
        **requested,
        ev.Recorded: _step(steps.nothing, S.DIALLING),
        ev.Accepted: _step(steps.accepted, S.DIALLING),
        ev.ChannelCreated: _step(steps.channel, S.DIALLING),
        ev.DialEnded: _step(steps.dial_ended, S.DIALLING),
        ev.LegHungUp: _step(steps.leg_hung_up, S.DIALLING),
        ev.HangUpAsked: _step(steps.hang_up_asked, S.DIALLING),
        ev.LinkBroke: _step(recon.link_broke, S.DIALLING),
        ev.TimeUp: _step(steps.time_up, S.DIALLING),
    }
    connected = {
        ev.Accepted: _step(steps.accepted, S.CONNECTED),
        ev.ChannelCreated: _step(steps.channel, S.CONNECTED),
        ev.Answered: _step(steps.nothing, S.CONNECTED),
        ev.OriginateSucceeded: _step(steps.nothing, S.CONNECTED),
        ev.OriginateFailed: _step(steps.nothing, S.CONNECTED),
        ev.DialEnded: _step(steps.dial_ended, S.CONNECTED),
        # After the answer the legs of this call are those of the end point: its agents.
        ev.LegHungUp: _step(steps.nothing, S.CONNECTED),
        ev.HungUp: _step(steps.hung_up_connected, S.CLOSING, S.ENDED),
        ev.HangUpAsked: _step(steps.hang_up_asked, S.CONNECTED),
        ev.LinkBroke: _step(recon.link_broke, S.CONNECTED),
        ev.PbxStopped: _step(recon.pbx_stopped, S.ENDED),
        ev.FoundLive: _step(recon.found_live, S.CONNECTED),
        ev.FoundGone: _step(recon.found_gone, S.ENDED),
        ev.TraceFound: _step(recon.trace_found, S.ENDED),
        ev.TimeUp: _step(steps.time_up_connected, S.CONNECTED),
        ev.CalleeEnded: _step(reverse.talk_ended, S.CONNECTED, S.CLOSING),
    }
    closing = {
        ev.Accepted: _step(steps.accepted, S.CLOSING),
        ev.Refused: _step(steps.nothing, S.CLOSING),
        ev.ChannelCreated: _step(steps.channel, S.CLOSING),
        ev.Answered: _step(steps.answered_closing, S.CLOSING, S.ENDED),
        ev.OriginateSucceeded: _step(steps.answered_closing, S.CLOSING, S.ENDED),
        ev.OriginateFailed: _step(steps.failed, S.CLOSING, S.ENDED),
        ev.DialEnded: _step(steps.dial_ended, S.CLOSING, S.ENDED),
        ev.LegHungUp: _step(steps.leg_hung_up, S.CLOSING, S.ENDED),
        ev.HungUp: _step(steps.hung_up, S.CLOSING, S.ENDED),
        ev.HangUpAsked: _step(steps.nothing, S.CLOSING),
        ev.LinkBroke: _step(recon.link_broke, S.CLOSING),
        ev.PbxStopped: _step(recon.pbx_stopped_closing, S.ENDED),
        ev.FoundLive: _step(recon.found_live_closing, S.CLOSING),
        ev.FoundGone: _step(recon.gone_closing, S.ENDED),
        ev.TraceFound: _step(recon.trace_found, S.ENDED),
        ev.TimeUp: _step(steps.time_up_closing, S.CLOSING, S.ENDED),
    }
    scheduled = {
        ev.Recorded: _step(steps.recorded, S.SCHEDULED),
        ev.Sent: _step(steps.sent, S.REQUESTED),
        ev.NotSent: _step(steps.not_sent, S.ENDED, S.IN_HOPPER),
        ev.Released: _step(steps.released, S.IN_HOPPER),
        ev.LinkBroke: _step(steps.released, S.IN_HOPPER),
        ev.PbxStopped: _step(steps.released, S.IN_HOPPER),
        ev.HangUpAsked: _step(steps.called_off, S.ENDED),
    }
    to_agent = {
        ev.Recorded: _step(steps.nothing, S.RD_AGENTREQ),
        ev.Accepted: _step(steps.accepted, S.RD_AGENTREQ),
        ev.Refused: _step(steps.refused, S.ENDED),
        ev.ChannelCreated: _step(reverse.agents_channel, S.RD_AGENTREQ),
        ev.Answered: _step(reverse.agent_answered, S.RD_REQUESTED),
        ev.OriginateSucceeded: _step(reverse.agent_answered, S.RD_REQUESTED),
        ev.OriginateFailed: _step(reverse.agent_failed, S.CLOSING),
        ev.LegDialled: _step(reverse.callee_dialled, S.RD_REQUESTED),
        ev.CalleeEnded: _step(reverse.callee_ended, S.CLOSING),
        # The agent's own phone, when a Local channel stands before it.
        ev.DialEnded: _step(steps.nothing, S.RD_AGENTREQ),
        ev.LegHungUp: _step(steps.nothing, S.RD_AGENTREQ),
        ev.HungUp: _step(reverse.agent_hung_up_ringing, S.CLOSING),
        ev.HangUpAsked: _step(steps.hang_up_asked, S.RD_AGENTREQ),
        ev.LinkBroke: _step(recon.link_broke, S.RD_AGENTREQ),
        ev.PbxStopped: _step(recon.pbx_stopped, S.ENDED),
        ev.FoundLive: _step(reverse.found_live, S.RD_AGENTREQ, S.RD_REQUESTED, S.CONNECTED),
        ev.FoundGone: _step(recon.found_gone, S.ENDED),
        ev.TraceFound: _step(reverse.note_found, S.ENDED),
        ev.TimeUp: _step(steps.time_up, S.RD_AGENTREQ),
    }
    to_callee = {
        **to_agent,
        ev.Accepted: _step(steps.accepted, S.RD_REQUESTED),
        ev.ChannelCreated: _step(reverse.agents_channel, S.RD_REQUESTED),
        ev.Answered: _step(steps.nothing, S.RD_REQUESTED),
        ev.OriginateSucceeded: _step(steps.nothing, S.RD_REQUESTED),
        ev.OriginateFailed: _step(steps.nothing, S.RD_REQUESTED),
        ev.DialEnded: _step(reverse.callee_dial_ended, S.RD_REQUESTED, S.CONNECTED),
        ev.LegHungUp: _step(steps.leg_hung_up, S.RD_REQUESTED),
        ev.HungUp: _step(reverse.agent_hung_up, S.CLOSING, S.ENDED),
        ev.HangUpAsked: _step(steps.hang_up_asked, S.RD_REQUESTED),
        ev.LinkBroke: _step(recon.link_broke, S.RD_REQUESTED),
        ev.FoundLive: _step(reverse.found_live, S.RD_REQUESTED, S.CONNECTED),
        ev.TimeUp: _step(steps.time_up, S.RD_REQUESTED),
    }
    del to_callee[ev.Recorded], to_callee[ev.Refused]
    reverse_scheduled = {**scheduled, ev.Recorded: _step(steps.recorded, S.RD_SCHEDULED)}
    reverse_scheduled[ev.Sent] = _step(reverse.sent, S.RD_AGENTREQ)
    reserved = {
        ev.DialAsked: _step(reverse.dial_asked, S.RD_SCHEDULED),
        ev.Skipped: _step(reverse.skipped, S.ENDED),
        ev.TimeUp: _step(reverse.reservation_over, S.IN_HOPPER),
        ev.Released: _step(reverse.reservation_over, S.IN_HOPPER),
        ev.HangUpAsked: _step(reverse.reservation_over, S.IN_HOPPER),
    }
    # Normal for a call that is over. Not among them: signs that its channel lives, which nobody should see any more.
    late = (
        ev.Accepted,
        ev.OriginateSucceeded,
        ev.OriginateFailed,
        ev.DialEnded,
        ev.LegHungUp,
        ev.HungUp,
        ev.HangUpAsked,
        ev.TimeUp,
        ev.AgentHungUp,
        ev.LinkBroke,
        ev.PbxStopped,
        ev.FoundGone,
        ev.TraceFound,
    )
    return {
        S.IN_HOPPER: {
            ev.Scheduled: _step(steps.scheduled, S.SCHEDULED, S.RD_SCHEDULED),
            ev.Reserved: _step(reverse.reserved, S.RD_RESERVED),
            # Its commit was under way when it was released.
            ev.Recorded: _step(steps.nothing, S.IN_HOPPER),
        },
        S.SCHEDULED: scheduled,
        S.REQUESTED: {**requested, **told(S.REQUESTED)},
        S.DIALLING: {**dialling, **told(S.DIALLING)},
        S.CONNECTED: {**told(S.CONNECTED), **connected},
        S.CLOSING: {**closing, **told(S.CLOSING)},
        # A late status is the engine's to add to the log.
        S.ENDED: {**told(S.ENDED), **dict.fromkeys(late, _step(steps.nothing, S.ENDED))},
        # Reverse: the agent first. Once the callee has answered it is a call like any other.
        S.RD_RESERVED: reserved,
        S.RD_SCHEDULED: reverse_scheduled,
        S.RD_AGENTREQ: {**told(S.RD_AGENTREQ), **to_agent},
        S.RD_REQUESTED: {**told(S.RD_REQUESTED), **to_callee},
    }


TABLE: dict[CallState, dict[type[ev.CallEvent], Step]] = _table()
