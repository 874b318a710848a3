"""The call machine and the run machine, drawn and tabled from ``core/call_table.TABLE`` and ``core/run.TABLE``."""

import inspect

from tools.docs.page import table
from wombat_ari.core.call_table import TABLE as CALL
from wombat_ari.core.run import TABLE as RUN
from wombat_ari.core.run import RunEvent
from wombat_ari.model.states import LIVE_RUN_STATES, CallState

#: An arrow with more events than this is drawn with their number; the table has them all.
LABELS = 6


def call_diagram() -> str:
    """Which event leads from which state to which. Events that leave a call in its state are in the table."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, cells in CALL.items():
        for event, step in cells.items():
            for to in sorted(step.to - {state}, key=list(CallState).index):
                arrows.setdefault((state, to), []).append(event.__name__)
    return _diagram(CallState.IN_HOPPER, arrows, finals=[CallState.ENDED])


def call_table() -> str:
    """Each event with its meaning and, for each state, where it leads."""
    states = [state for state in CallState if CALL[state]]
    events = list(dict.fromkeys(event for state in states for event in CALL[state]))
    rows = [("event", "what happened", *(_short(state) for state in states))]
    for event in events:
        cells = []
        for state in states:
            step = CALL[state].get(event)
            cells.append("" if step is None else "=" if step.to == {state} else _targets(state, step.to))
        rows.append((f"`{event.__name__}`", _meaning(event), *cells))
    return table(*rows)


def run_diagram() -> str:
    """What a run does on which event."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, cells in RUN.items():
        for event, (to, _) in cells.items():
            arrows.setdefault((state, to), []).append(event)
    return _diagram("RUNNABLE", arrows, finals=[state for state in RUN if state not in LIVE_RUN_STATES])


def run_table() -> str:
    """Each cell of the run machine, with its effects."""
    rows = [("state", "event", "next state", "effects")]
    for state, cells in RUN.items():
        for event, (to, effects) in cells.items():
            rows.append((state, f"`{RunEvent(event)}`", to, ", ".join(effects)))
    return table(*rows)


def _diagram(first: str, arrows: dict[tuple[str, str], list[str]], *, finals: list[str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    for (state, to), events in arrows.items():
        label = "<br/>".join(events) if len(events) <= LABELS else f"{len(events)} events"
        lines.append(f"    {state} --> {to}: {label}")
    lines += [f"    {state} --> [*]" for state in finals]
    return "\n".join([*lines, "```"])


def _targets(state: CallState, to: frozenset[CallState]) -> str:
    ordered = sorted(to, key=list(CallState).index)
    return " or ".join("=" if one == state else _short(one) for one in ordered)


def _short(state: str) -> str:
    return state.removeprefix("IN_").lower()


def _meaning(event: type) -> str:
    """The first sentence of its docstring; words whose name says all have none of their own."""
    text = (
        ""
        if event.__doc__ is None or event.__doc__.startswith(f"{event.__name__}(")
        else inspect.cleandoc(event.__doc__)
    )
    first = text.split("\n\n")[0].replace("\n", " ").replace("``", "`")
    return first.split(". ")[0].rstrip(".").replace("|", "\\|")
