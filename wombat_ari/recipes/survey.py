"""The recipe survey (docs/cookbook/survey.md): a few questions, and somebody to talk to for those who are not content.

In the flows' folder it is yours: change it, the next call goes through what is there then (docs/flows.md).
"""

from wombat_ari.flows.call import Call
from wombat_ari.flows.line import FlowError

REACHED, ANSWERED, TO_AGENT = "0", "1", "2"  #: extended statuses; 3 is told by [wombat-survey]
ANY_KEY = "0123456789*#"


async def survey(call: Call) -> None:
    """How content they are, from 1 to 5, and how often they came; who is not content says why, and may talk to us."""
    seconds = float(await call.get_variable("SECONDS") or 5)
    await call.status(REACHED)
    product = call.attributes.get("PRODUCT", "our service")
    how = await _sound(call, f"How content are you with {product}? Press 1 for not at all, up to 5.", "vm-press")
    rating = await call.menu(how, "12345", tries=2, timeout=seconds)
    if not rating:
        return  # the campaign's rules ask once more, another day
    await call.attribute("RATING", rating)
    often = await _sound(call, "How often did you come to us? Enter a number.", "vm-enter-num-to-call")
    visits = await call.digits(2, prompt=often, timeout=seconds)
    if visits:
        await call.attribute("VISITS", int(visits) if visits.isdecimal() else visits)
    await call.status(ANSWERED)
    if rating in "12" and await _complains(call, seconds):
        return
    await call.play(["auth-thankyou", "vm-goodbye"])


async def _complains(call: Call, seconds: float) -> bool:
    """Their reason, in their own voice; whether they were put through to somebody."""
    why = await _sound(call, "Please tell us why, and press any key when you have done.", "vm-rec-temp")
    await call.play(why, interrupt=ANY_KEY)
    name = f"survey-{call.wombatid}"
    await call.record(name, limit=60, silence=4, terminator=ANY_KEY, attribute="REASON")
    talk = await _sound(call, "Press 1 to talk to one of us now.", "vm-reachoper")
    if not await call.menu(talk, "1", tries=1, timeout=seconds):
        return False
    await call.status(TO_AGENT)
    await call.transfer("s", "wombat-survey")
    return True


async def _sound(call: Call, text: str, otherwise: str) -> str:
    """The text, spoken; without flows.speech_command a sound that Asterisk has, until you have recorded your own."""
    try:
        return await call.speech(text)
    except FlowError:
        return otherwise
