"""``edit/campaign/reschedule`` and ``/disposition``: what is done after an attempt, in the campaign's order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from webui.compat.edit import Part, Results, Subject, Window, address_of, marks_of_campaign, moved, parent_of
from webui.compat.frame import Call
from webui.compat.values import Field, Object, fill, flag, id_of, ident, one_of, spell, text, whole, word_of, words_of
from wombat_ari.app.service import campaigns
from wombat_ari.app.service.rights import missing
from wombat_ari.model.entities import Campaign, DispositionRule, RescheduleRule
from wombat_ari.model.states import DispositionVerb, RetryMode, SentAttributes

R = TypeVar("R")

SPELLINGS = {"RS_NO_AGENT": "RS_NOAGENT", "RS_AGENT_SKIP": "RS_AGENTSKIP", "ANY": "*", "": "*"}
RETRIES = {"FIXED": RetryMode.FIXED, "MULT": RetryMode.MULTI, "MULTI": RetryMode.MULTI}
VERBS = {
    "NONE": DispositionVerb.NONE,
    "HTTP Get": DispositionVerb.HTTP_GET,
    "HTTP Post": DispositionVerb.HTTP_POST,
    "ADD_LIST": DispositionVerb.ADD_LIST,
    "Add to blacklist": DispositionVerb.BLACK_LIST,
    "Send e-mail": DispositionVerb.EMAIL,
    "RESCHEDULE": DispositionVerb.RESCHEDULE,
    **words_of(DispositionVerb),
}


def _status(data: Object, name: str) -> str | None:
    given = text(data, name)
    return None if given is None else SPELLINGS.get(given.strip().upper(), given.strip().upper())


@dataclass(frozen=True, slots=True)
class Rules(Generic[R]):
    """A kind of rule of a campaign, told by its id."""

    path: str
    label: str
    id_name: str
    fields: tuple[Field, ...]
    blank: R
    rules: Callable[[Campaign], Sequence[R]]
    change: Callable[[Any, Any, int, Callable[[tuple[R, ...]], Sequence[R]]], Campaign]

    def subject(self) -> Subject:
        return Subject(self.path, self.label, self._page, self._save, self._delete, self._move)

    def _page(self, call: Call, window: Window) -> Part:
        found = self._objects(call, campaigns.find_campaign(call.caller, call.db, parent_of(call)))
        return Part(list(window.cut(found)), len(found))

    def _save(self, call: Call, data: Object) -> dict[str, Any]:
        key = ident(data, self.id_name)
        places: list[int] = []

        def changing(old: tuple[R, ...]) -> list[R]:
            if key is None:
                places[:] = [len(old)]
                return [*old, fill(self.blank, data, self.fields)]
            places[:] = [self._place(old, key)]
            return [fill(rule, data, self.fields) if n == places[0] else rule for n, rule in enumerate(old)]

        return self._objects(call, self.change(call.caller, call.db, parent_of(call, data), changing))[places[0]]

    def _delete(self, call: Call, data: Object) -> dict[str, Any]:
        key, campaign_id = id_of(data.get(self.id_name), self.id_name), parent_of(call, data)
        before = campaigns.find_campaign(call.caller, call.db, campaign_id)
        old = self._objects(call, before)[self._place(tuple(self.rules(before)), key)]
        self.change(call.caller, call.db, campaign_id, lambda rules: [rule for rule in rules if self._key(rule) != key])
        return old

    def _move(self, call: Call, data: Object, step: int) -> Results:
        key = id_of(data.get(self.id_name), self.id_name)
        changed = self.change(
            call.caller, call.db, parent_of(call, data), lambda rules: moved(rules, self._place(rules, key), step)
        )
        return self._objects(call, changed)

    def _place(self, rules: Sequence[R], key: int) -> int:
        place = next((n for n, rule in enumerate(rules) if self._key(rule) == key), None)
        if place is None:
            raise missing(self.label, key)
        return place

    def _key(self, rule: R) -> int | None:
        return rule.id  # type: ignore[attr-defined]

    def _objects(self, call: Call, campaign: Campaign) -> Results:
        marks = marks_of_campaign(call, campaign)
        return [
            {self.id_name: self._key(rule), **spell(rule, self.fields), "campaignId": campaign.id, **marks}
            for rule in self.rules(campaign)
        ]


RESCHEDULE: Rules[RescheduleRule] = Rules(
    path="campaign/reschedule",
    label="reschedule rule",
    id_name="rescheduleRuleId",
    fields=(
        Field("status", "status", _status),
        Field("statusExt", "extended_status", text),
        Field("maxAttempts", "max_attempts", whole),
        Field("retryAfterS", "retry_after_s", whole),
        Field("mode", "mode", one_of(RETRIES), word_of(RETRIES)),
    ),
    blank=RescheduleRule(""),
    rules=lambda campaign: campaign.rules,
    change=campaigns.set_rules,
)

DISPOSITION: Rules[DispositionRule] = Rules(
    path="campaign/disposition",
    label="disposition",
    id_name="dispositionId",
    fields=(
        Field("onState", "status", _status),
        Field("onExtState", "extended_status", text),
        Field("withRetriesPending", "with_retries", flag, int),
        Field("verb", "verb", one_of(VERBS), word_of(VERBS)),
        Field("destination", "destination", text),
        Field("text", "text", text),
        Field("deferSec", "delay_s", whole),
        Field("varMode", "attributes", one_of(words_of(SentAttributes)), str),
        Field("addlVars", "extra", text),
    ),
    blank=DispositionRule(extended_status=""),
    rules=lambda campaign: campaign.dispositions,
    change=campaigns.set_dispositions,
)

ADDRESSES = tuple(address_of(rules.subject()) for rules in (RESCHEDULE, DISPOSITION))
