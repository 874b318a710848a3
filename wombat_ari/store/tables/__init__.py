"""All tables as peewee models, in an order in which they can be created. Nothing here is bound to a database.

The models are the one description of the schema: DDL, data dictionary and the check of the migrations are made from
them, so every column has a ``help_text``. Names are usable in SQL without quotes on both databases. Text compares
exactly (utf8mb4_bin on MySQL, BINARY on SQLite): ``Sales`` and ``sales`` are two names. Moments are epoch seconds
(DOUBLE, UTC) and end in ``_at``; lengths end in ``_ms`` or ``_s``. Configured things refer to each other by foreign
key; the rows that come by the thousand (attempt, open_retry, call_log) do not, their writer holds the ledger instead.
"""

from wombat_ari.store.tables.admin import (
    ApiToken,
    Audit,
    DialerLease,
    IdempotencyKey,
    SchemaVersion,
    SystemLog,
    User,
    UserClass,
)
from wombat_ari.store.tables.base import BaseTable, Described
from wombat_ari.store.tables.config import (
    AsteriskServer,
    CallList,
    Campaign,
    CampaignEndPoint,
    CampaignList,
    CampaignOpeningHours,
    CampaignTrunk,
    DispositionRule,
    EndPoint,
    OpeningHours,
    OpeningRule,
    Record,
    RescheduleRule,
    Trunk,
)
from wombat_ari.store.tables.work import (
    Attempt,
    CallLog,
    IdBlock,
    OpenRetry,
    Outbox,
    Run,
    RunList,
)

ALL: tuple[type[BaseTable], ...] = (
    SchemaVersion,
    AsteriskServer,
    Trunk,
    EndPoint,
    CallList,
    Record,
    Campaign,
    CampaignTrunk,
    CampaignEndPoint,
    CampaignList,
    RescheduleRule,
    UserClass,
    User,
    Audit,
    SystemLog,
    DialerLease,
    IdBlock,
    Run,
    RunList,
    Attempt,
    OpenRetry,
    CallLog,
    OpeningHours,
    OpeningRule,
    CampaignOpeningHours,
    DispositionRule,
    Outbox,
    ApiToken,
    IdempotencyKey,
)

__all__ = [
    "ALL",
    "ApiToken",
    "AsteriskServer",
    "Attempt",
    "Audit",
    "BaseTable",
    "CallList",
    "CallLog",
    "Campaign",
    "CampaignEndPoint",
    "CampaignList",
    "CampaignOpeningHours",
    "CampaignTrunk",
    "Described",
    "DialerLease",
    "DispositionRule",
    "EndPoint",
    "IdBlock",
    "IdempotencyKey",
    "OpenRetry",
    "OpeningHours",
    "OpeningRule",
    "Outbox",
    "Record",
    "RescheduleRule",
    "Run",
    "RunList",
    "SchemaVersion",
    "SystemLog",
    "Trunk",
    "User",
    "UserClass",
]
