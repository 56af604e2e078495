"""The tables of one gateway. What must never happen is a constraint here, not only code elsewhere.

Times are ISO 8601 in UTC with six decimals, stored as text: they sort as they read, alike in every database.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from gateway.lifecycle import InState, Level, Outcome, OutState
from gateway.messages import Duty
from gateway.store.moments import Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, kinds: type[OutState] | type[InState] | type[Level] | type[Outcome]) -> CheckConstraint:
    allowed = ", ".join(f"'{kind.value}'" for kind in kinds)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _where(name: str, condition: str, *columns: str) -> Index:
    """Return an index over the rows for which ``condition`` holds; a query must say the same to make use of it."""
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


WAITING = "state IN ('queued', 'retrying')"
"""Condition of outgoing rows that the relay has something to do with."""
UNDER_WAY = "state IN ('queued', 'retrying', 'sent')"
"""Condition of outgoing rows that the gateway itself acts on when their deadline passes."""
ON_PAPER = "state IN ('letter', 'mailed')"
"""Condition of outgoing rows that go by letter, and that nothing but people deal with."""
DELIVERABLE = "state IN ('validated', 'delivering', 'waiting_for_system')"
"""Condition of incoming rows that the case system has not answered about."""
OPEN = "due_at IS NOT NULL"
"""Condition of rows that something is awaited for: each has an owner. They are few beside what is done."""
OWED = "state = 'registered' AND due_at IS NOT NULL"
"""Condition of incoming rows for which an own unit has to acknowledge or reply."""
UNREAD = "read_at IS NULL AND (state = 'retracted' OR (state = 'registered' AND duty = 'notify'))"
"""Condition of incoming rows that ask for nothing but to be read, and that nobody in the unit has marked as read."""
FAILED = "failed_at IS NOT NULL AND discarded_at IS NULL"
"""Condition of messages that need a person, or will if their deadline passes."""
REFUSED_EVENT = "state = 'refused' AND discarded_at IS NULL"
"""Condition of events that were refused, and that somebody is to look at."""
NOT_DISCARDED = "discarded_at IS NULL"
"""Condition of what was set aside and somebody is to look at."""
SPENT = "settled_at IS NULL AND next_attempt_at IS NULL AND discarded_at IS NULL"
"""Condition of dead letters that are not tried any more by themselves."""
LATE = "late = 1"
"""Condition of verdicts that came after their deadline."""
REPEATED = "event = 'duplicate'"
"""Condition of lines of a history that tell of a verdict that came once more, or of a message that did."""
WATCHED = "look_at IS NOT NULL"
"""Condition of rows and cases that somebody will have to be told about, if nothing happens before ``look_at``."""
NOTICES = "type = 'notice'"
"""Condition of notices, which are few beside the steps of cases."""

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", String(64), nullable=False),
    Column("event_id", String(200)),  # null when the event was too broken to tell
    Column("kind", String(64)),
    Column("content_hash", String(64), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("answer", JSON),  # accepted: message ids and case number
    Column("findings", JSON),  # refused: why
    Column("discarded_at", Moment),  # refused, and nobody need look at it any more
    Column("code", String(100)),  # refused: the first of the reasons
    CheckConstraint("state IN ('accepted', 'refused')", name="state"),
    # The same bytes give the same answer, however often they come.
    UniqueConstraint("source", "content_hash"),
    # One event id is accepted once; a refused one may be corrected and sent again.
    Index(
        "uq_event_accepted",
        "source",
        "event_id",
        unique=True,
        sqlite_where=text("state = 'accepted'"),
        postgresql_where=text("state = 'accepted'"),
    ),
    _where("ix_event_refused", REFUSED_EVENT, "code", "source", "received_at", "id", "state", "discarded_at"),
)
"""What case systems said, accepted or refused; refused ones keep their input and reasons."""

sip_case = Table(
    "sip_case",
    metadata,
    Column("case_number", String(9), primary_key=True),
    Column("convener", String(31), nullable=False),
    Column("state", String(32), nullable=False),
    Column("person_root", String(64)),
    Column("person_extension", String(40)),
    Column("snapshot", JSON, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("look_at", Moment),
    Column("meeting_start", Moment),  # of the meeting that is booked
    Column("meeting_end", Moment),
    Column("meeting_chair", String(64)),  # whoever leads it, as a hash
    Index("ix_sip_case_person", "person_root", "person_extension"),
    _where("ix_sip_case_watched", WATCHED, "look_at"),
    _where("ix_sip_case_meeting", "meeting_start IS NOT NULL", "meeting_start"),
)
"""The cases this party convenes or takes part in; ``revision`` guards against two writers."""

case_reference = Table(
    "case_reference",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("reference", String(200), primary_key=True),
    Column("case_number", ForeignKey("sip_case.case_number"), nullable=False),
)
"""What the case system calls a case, by adapter."""

case_series = Table(
    "case_series",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("series", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, nullable=False),
)
"""The last case number given out of each kind; never goes back, so that no number is used twice."""

message = Table(
    "message",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("case_number", String(9), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("xml", LargeBinary, nullable=False),
    Column("sender_unit", String(31), nullable=False),
    Column("in_reply_to", String(36)),
    Column("applied", Boolean, nullable=False),  # false while every recipient waits for a consent
    Index("ix_message_case_number", "case_number"),
    Index("ix_message_in_reply_to", "in_reply_to"),
)
"""Messages of this party, as rendered once; what leaves is these bytes."""

dispatch = Table(
    "dispatch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", ForeignKey("message.message_id"), nullable=False),
    Column("type", String(64), nullable=False),
    Column("case_number", String(9), nullable=False),
    Column("party", String(31), nullable=False),
    Column("unit", String(31), nullable=False),
    Column("duty", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("queued_at", Moment),  # since when it may leave: tries are given up 72 hours after this
    Column("leave_by", Moment),  # when the consent it leaves under runs out
    Column("position", Integer),  # its place in line, given when it may leave
    Column("sequence", Integer),  # its number to this unit about this case, given when it first leaves
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment),
    Column("lease_until", Moment),
    Column("due_at", Moment),
    Column("owner", String(32)),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("received_at", Moment),
    Column("registered_at", Moment),
    Column("acknowledged_at", Moment),
    Column("record_id", String(200)),
    Column("outcome", String(16)),
    Column("look_at", Moment),
    Column("failed_at", Moment),
    Column("failed_code", String(100)),
    Column("discarded_at", Moment),
    Column("own_unit", String(31), nullable=False, server_default=""),  # the unit that sends it
    _one_of("state", OutState),
    # Every non-final state has a next deadline and an owner.
    CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name="deadline_has_owner"),
    UniqueConstraint("message_id", "unit"),
    UniqueConstraint("case_number", "unit", "sequence"),
    # What waits is little beside what is done: indexes that hold only the former stay small however long a log is.
    _where("ix_dispatch_waiting", WAITING, "position"),
    _where("ix_dispatch_waiting_stream", WAITING, "case_number", "unit", "position"),
    _where("ix_dispatch_under_way", UNDER_WAY, "due_at"),
    _where("ix_dispatch_watched", WATCHED, "look_at"),
    _where("ix_dispatch_on_paper", ON_PAPER, "due_at"),
    # Whoever counts what is open reads nothing but this.
    _where("ix_dispatch_open", OPEN, "state", "party", "type", "due_at", "queued_at", "own_unit", "unit"),
    _where("ix_dispatch_failed", FAILED, "failed_code", "party", "failed_at", "id", "discarded_at", "own_unit"),
    Index("ix_dispatch_position", "position"),
)
"""The ledger: one row per message and recipient unit, with each level's own clock."""

statement = Table(
    "statement",
    metadata,
    Column("message_id", ForeignKey("message.message_id"), primary_key=True),
    Column("unit", String(31), primary_key=True),
    Column("event", String(16), primary_key=True),
    Column("by", String(31), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("event IN ('mailed', 'answered')", name="event"),
)
"""What somebody (HSA-id) has stated about a letter to a unit, with the reason; each is stated once."""

verdict = Table(
    "verdict",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("unit", String(31), primary_key=True),
    Column("level", String(16), primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("acknowledgement_id", String(36), nullable=False),
    Column("at", Moment, nullable=False),
    Column("arrived_at", Moment, nullable=False),
    Column("record_id", String(200)),
    Column("reasons", JSON, nullable=False),
    Column("late", Integer, nullable=False, server_default="0"),
    _one_of("level", Level),
    _one_of("outcome", Outcome),
    _where("ix_verdict_late", LATE, "arrived_at"),
)
"""What a recipient answered at each level. The key lets the first verdict stand; a trigger forbids changing it."""

unexpected = Table(
    "unexpected",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("acknowledgement_id", String(36)),
    Column("party", String(31), nullable=False),
    Column("code", String(64), nullable=False),
    Column("message_id", String(36)),
    Column("unit", String(31)),
    Column("xml", LargeBinary, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("arrived_at", Moment, nullable=False),
    Column("discarded_at", Moment),
    UniqueConstraint("party", "acknowledgement_id", "code"),
    _where("ix_unexpected_open", NOT_DISCARDED, "code", "party", "arrived_at", "id", "discarded_at"),
)
"""Acknowledgements that settle nothing: about unknown messages, contradicting, unreadable. Parked with their reason."""

inbound = Table(
    "inbound",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("party", String(31), nullable=False),
    Column("type", String(64), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("unit", String(31), nullable=False),
    Column("case_number", String(9), nullable=False),
    Column("sequence", Integer),
    Column("sender_unit", String(31), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("xml", LargeBinary, nullable=False),
    Column("state", String(32), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment),
    Column("lease_until", Moment),
    Column("due_at", Moment),
    Column("owner", String(32)),
    Column("received_at", Moment, nullable=False),
    Column("duty", String(16), nullable=False, server_default=Duty.NOTIFY.value),
    Column("registered_at", Moment),
    Column("acknowledged_at", Moment),
    Column("record_id", String(200)),
    Column("findings", JSON),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("look_at", Moment),
    Column("read_at", Moment),  # when somebody in the unit marked it as read
    Column("failed_at", Moment),
    Column("failed_code", String(100)),
    Column("discarded_at", Moment),
    _one_of("state", InState),
    CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name="deadline_has_owner"),
    UniqueConstraint("party", "type", "message_id", "unit"),
    _where("ix_inbound_deliverable", DELIVERABLE, "id"),
    _where("ix_inbound_deliverable_stream", DELIVERABLE, "case_number", "party", "unit", "sequence"),
    _where("ix_inbound_watched", WATCHED, "look_at"),
    _where("ix_inbound_stored", "state = 'stored'", "case_number", "party", "unit", "sequence"),
    _where("ix_inbound_open", OPEN, "state", "due_at", "received_at"),
    _where("ix_inbound_failed", FAILED, "failed_code", "party", "failed_at", "id", "due_at", "unit", "discarded_at"),
    Index("ix_inbound_message_id", "message_id"),
    Index("ix_inbound_stream", "case_number", "party", "unit", "sequence"),
    _where("ix_inbound_owed", OWED, "unit", "due_at", "type"),
    _where("ix_inbound_unread", UNREAD, "unit", "id", "type"),
)
"""Messages of partners, one row per message and unit: stored once however often they were delivered."""

parked = Table(
    "parked",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("party", String(31), nullable=False),
    Column("type", String(64), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("unit", String(31), nullable=False),
    Column("case_number", String(64), nullable=False),  # as the envelope has it, whatever that is
    Column("sequence", Integer),
    Column("content_hash", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("arrived_at", Moment, nullable=False),
    Column("code", String(100)),  # the first of the reasons
    Column("discarded_at", Moment),
    UniqueConstraint("party", "type", "message_id", "unit", "content_hash"),
    Index("ix_parked_stream", "case_number", "party", "unit", "sequence"),
    _where("ix_parked_open", NOT_DISCARDED, "code", "party", "arrived_at", "id", "unit", "discarded_at"),
)
"""Deliveries that could not become a message here: unreadable, or a known id with other content. Kept as they came."""

note = Table(
    "note",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(36), nullable=False),  # of the step, or the id of the notice
    Column("type", String(64), nullable=False),
    Column("case_number", String(9), nullable=False),
    Column("notice", JSON),  # what a unit is told; null for a step
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment),
    Column("lease_until", Moment),
    Column("due_at", Moment),
    Column("owner", String(32)),
    Column("written_at", Moment),
    Column("created_at", Moment, nullable=False),
    CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name="deadline_has_owner"),
    UniqueConstraint("message_id"),
    _where("ix_note_open", "written_at IS NULL", "id"),
    _where("ix_note_open_case", "written_at IS NULL", "case_number", "id"),
    _where("ix_note_notices", NOTICES, "case_number", "id"),
)
"""What is still to be written, or written, into the own case system: steps of a case, and notices to its units."""

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("direction", String(3), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("unit", String(31), nullable=False),
    Column("at", Moment, nullable=False),
    Column("event", String(32), nullable=False),
    Column("state", String(32), nullable=False),
    Column("code", String(64)),
    CheckConstraint("direction IN ('in', 'out')", name="direction"),
    Index("ix_history_message_id", "message_id", "id"),
    _where("ix_history_repeated", REPEATED, "direction", "id"),
)
"""Every attempt and every change of state, in order; ids and codes only."""

circuit = Table(
    "circuit",
    metadata,
    Column("party", String(31), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("opened_at", Moment),
    Column("probe_at", Moment),
    Column("drains_since", Moment),
)
"""Partners that messages cannot be sent to now, or whose backlog is being drained; a healthy partner has no row."""

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("party", String(31), nullable=False),
    Column("type", String(64), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("unit", String(31), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("envelope", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Moment),
    Column("due_at", Moment),
    Column("owner", String(32)),
    Column("arrived_at", Moment, nullable=False),
    Column("settled_at", Moment),
    Column("discarded_at", Moment),
    CheckConstraint("(due_at IS NULL) = (owner IS NULL)", name="deadline_has_owner"),
    UniqueConstraint("party", "type", "message_id", "unit", "content_hash"),
    _where("ix_dead_letter_open", "settled_at IS NULL", "next_attempt_at"),
    _where("ix_dead_letter_spent", SPENT, "reason", "party", "arrived_at", "id", "unit"),
)
"""Deliveries that the exchange gave up after its last try, kept as they came; tried again one by one."""
