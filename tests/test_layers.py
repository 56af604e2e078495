"""A module imports from its own floor of the house or below, and a neighbour only for a reason that is written here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import gateway

PACKAGE = Path(gateway.__file__).parent

# From the ground up. A room is a module or a package; inside a package, modules may use each other.
LAYERS = {
    "words": "errors envelope lifecycle identifiers case_number directory directory_file config clock circuit "
    "progress resources logs outages stopping working_time grace by_hand adapter_settings access "
    "trace_context items",
    "meaning": "messages times opening process ledger case_log indicators payment figures duties notices "
    "directory_rules readable letter_words letter_text metrics silence audit matching hour operation",
    "seams": "ports",
    "memory": "store",
    "flow": "context answering circle open_sip holding gate letters arrivals outbox relay inbox tracker delivery "
    "dead_letters watch review adapter_book heartbeat resending tally partners scrape accountability tokens "
    "proof sessions log_extract traces actions sending_again discarding charge failure_notes operations "
    "marks awaited adapter_signs pausing report",
    "outside": "adapters transport",
    "work": "hops web",
    "assembly": "app preflight connections health",
    "service": "service workers",
    "windows": "replay reference alerts dashboard",
    "door": "cli __main__",
}
LEVEL = {room: level for level, rooms in enumerate(LAYERS.values()) for room in rooms.split()}

NEIGHBOURS = {
    ("directory", "errors"): "what is wrong is said the same way everywhere",
    ("outages", "errors"): "an outage is known by the codes of the error that tells it",
    ("app", "preflight"): "nothing is opened with settings that cannot be used",
    ("workers", "service"): "each of several processes is stopped as a single one is",
    ("app", "connections"): "a gateway is opened with its case systems connected",
    ("health", "app"): "what last got through stands in the database",
    ("health", "connections"): "the lanes tell which system a message has gone to",
    ("preflight", "connections"): "where events are taken is judged where the door is made",
    ("config", "adapter_settings"): "the settings of a gateway hold those of its adapters",
    ("config", "errors"): "what is wrong is said the same way everywhere",
    ("identifiers", "errors"): "what is wrong is said the same way everywhere",
    ("case_number", "errors"): "what is wrong is said the same way everywhere",
    ("identifiers", "clock"): "an age is counted in Swedish calendar days",
    ("directory", "directory_file"): "the directory answers for what stands in its file",
    ("directory_file", "errors"): "what is wrong is said the same way everywhere",
    ("directory_file", "identifiers"): "units are known by HSA-ids, which are checked when the file is read",
    ("directory_file", "working_time"): "a unit says when it is open",
    ("working_time", "clock"): "working days and opening hours are those of Sweden",
    ("working_time", "errors"): "what is wrong is said the same way everywhere",
    ("grace", "clock"): "the days of grace are those of Sweden",
    ("opening", "messages"): "what is in an envelope is a message",
    ("case_log", "messages"): "what was told about a case are its messages",
    ("indicators", "case_log"): "indicators are counted in what was told",
    ("indicators", "messages"): "what is counted follows from what the messages say",
    ("payment", "case_log"): "days are counted in what was told",
    ("payment", "messages"): "the responsibility follows from what the messages say",
    ("figures", "indicators"): "what may be shown are the indicators",
    ("figures", "payment"): "what may be shown are the days of responsibility too",
    ("figures", "messages"): "areas of life and reasons have their names from the messages",
    ("process", "messages"): "a case is what its messages have made it",
    ("process", "times"): "the clocks of a case run for the times in force",
    ("times", "messages"): "what is usual stands in the contract of each type",
    ("ledger", "messages"): "what a recipient owes follows from the type of the message",
    ("ledger", "times"): "a row that is registered is due by the times in force",
    ("answering", "context"): "every hop works in the surroundings of its gateway",
    ("directory_rules", "messages"): "which unit may send a type stands in its contract",
    ("duties", "ledger"): "a duty is a row of the ledger with a deadline",
    ("duties", "process"): "a case has clocks of its own",
    ("notices", "duties"): "what is told of time follows from what is owed",
    ("notices", "ledger"): "a message that was not taken is a row of the ledger",
    ("notices", "process"): "whom a case concerns stands in the case",
    ("watch", "context"): "every hop works in the surroundings of its gateway",
    ("duties", "times"): "when staff are reminded is one of the times in force",
    ("letter_text", "letter_words"): "a letter is written in the words of the templates",
    ("letter_text", "messages"): "a letter says what a message says",
    ("readable", "letter_words"): "a message is read in the words of the letters",
    ("readable", "messages"): "a document says what a message says",
    ("circle", "context"): "every hop works in the surroundings of its gateway",
    ("gate", "open_sip"): "a person has one open SIP, whoever starts it",
    ("inbox", "open_sip"): "a person has one open SIP, whoever starts it",
    ("resending", "context"): "every hop works in the surroundings of its gateway",
    ("resending", "outbox"): "an event that is taken up again is taken as it was the first time",
    ("log_extract", "accountability"): "whoever takes an extract answers for it",
    ("pausing", "accountability"): "whoever lets an adapter rest answers for it",
    ("marks", "accountability"): "whoever marks a message answers for it",
    ("marks", "actions"): "what is done by hand is done item by item",
    ("marks", "context"): "every hop works in the surroundings of its gateway",
    ("sessions", "tokens"): "what is shown to be let in is drawn and hashed in one way",
    ("access", "errors"): "what is wrong is said the same way everywhere",
    ("access", "identifiers"): "people who act are known by HSA-ids",
    ("resending", "accountability"): "whoever takes an event up again answers for it",
    ("by_hand", "errors"): "what is wrong is said the same way everywhere",
    ("by_hand", "identifiers"): "who does something by hand is known by an HSA-id",
    ("review", "arrivals"): "what waited for the review is called then",
    ("review", "context"): "every hop works in the surroundings of its gateway",
    ("review", "gate"): "a case goes on where it was frozen",
    ("gate", "holding"): "what a draft becomes is kept, and waits where it may not leave",
    ("holding", "circle"): "what waits in a case waits for those around it",
    ("holding", "context"): "every hop works in the surroundings of its gateway",
    ("gate", "circle"): "whom a message is for follows from who takes part",
    ("arrivals", "gate"): "a partner's message may call for one of our own",
    ("inbox", "arrivals"): "what an arriving message brings with it is done in the transaction that stores it",
    ("gate", "context"): "every hop works in the surroundings of its gateway",
    ("outbox", "context"): "every hop works in the surroundings of its gateway",
    ("dead_letters", "context"): "every hop works in the surroundings of its gateway",
    ("relay", "context"): "every hop works in the surroundings of its gateway",
    ("inbox", "context"): "every hop works in the surroundings of its gateway",
    ("tracker", "context"): "every hop works in the surroundings of its gateway",
    ("delivery", "context"): "every hop works in the surroundings of its gateway",
    ("outbox", "answering"): "staff take charge by an event, which is answered in the transaction that keeps it",
    ("inbox", "answering"): "an answer is queued in the transaction that earns it",
    ("delivery", "answering"): "an answer is queued in the transaction that earns it",
    ("outbox", "gate"): "what an event becomes is decided where consents are weighed",
    ("inbox", "gate"): "a partner's withdrawal stops what waits, as an own one does",
    ("reference", "replay"): "the page of scenarios lists what can be played",
    ("tally", "tracker"): "answers that settle nothing are known by the codes they were parked with",
    ("tally", "context"): "every hop works in the surroundings of its gateway",
    ("partners", "context"): "every hop works in the surroundings of its gateway",
    ("scrape", "context"): "what is measured are the surroundings of a gateway",
    ("reference", "alerts"): "the rules for alerts are rendered with the pages",
    ("items", "errors"): "what is wrong is said the same way everywhere",
    ("matching", "ledger"): "what is suggested is a row of the ledger",
    ("actions", "accountability"): "whoever does something by hand answers for it",
    ("actions", "context"): "every hop works in the surroundings of its gateway",
    ("sending_again", "accountability"): "whoever does something by hand answers for it",
    ("sending_again", "actions"): "what is done by hand is done item by item",
    ("sending_again", "context"): "every hop works in the surroundings of its gateway",
    ("sending_again", "gate"): "what goes again must still be what its recipient may be told",
    ("discarding", "accountability"): "whoever does something by hand answers for it",
    ("discarding", "actions"): "what is done by hand is done item by item",
    ("discarding", "context"): "every hop works in the surroundings of its gateway",
    ("charge", "accountability"): "whoever does something by hand answers for it",
    ("charge", "actions"): "what is done by hand is done item by item",
    ("charge", "answering"): "who takes charge by hand does so as staff do by an event",
    ("charge", "context"): "every hop works in the surroundings of its gateway",
    ("operations", "accountability"): "whoever does something by hand answers for it",
    ("operations", "actions"): "what is done by hand is done item by item",
    ("operations", "context"): "every hop works in the surroundings of its gateway",
    ("operations", "discarding"): "many are discarded as one is",
    ("operations", "resending"): "many events are taken up again as one is",
    ("operations", "sending_again"): "many are sent again as one is",
    ("failure_notes", "accountability"): "whoever does something by hand answers for it",
    ("failure_notes", "context"): "every hop works in the surroundings of its gateway",
    ("reference", "dashboard"): "the dashboard is rendered with the pages",
    ("__main__", "cli"): "python -m gateway is the command",
}
"""Which rooms of one layer know each other, and why. Everything not named here goes through a lower layer."""

PRODUCTS = {
    "hl7": {"adapters"},
    "sqlalchemy": {"store", "transport"},
    "alembic": {"store"},
    "aiosqlite": {"store", "transport"},
    "sqlite3": {"store", "transport", "adapters"},
    "asyncpg": {"store"},
    "aio_pika": {"transport"},
    "aiormq": {"transport"},
    "pamqp": {"transport"},
    "aiohttp": {"transport", "adapters", "web", "app"},
    "fhir": {"adapters"},
    "holidays": {"working_time"},
    "lxml": {"messages"},
    "xmlschema": {"messages"},
    "prometheus_client": {"scrape"},
    "jinja2": {"web"},
    "opentelemetry": {"traces"},
    "joserfc": {"web"},
    "rich": {"replay", "cli"},
    "typer": {"cli"},
}
"""Libraries that one could replace, and the rooms that may know of them."""

VENDORS = ("treserva", "lifecare", "procapita", "rabbitmq")
"""Names of systems the gateway meets. They stand where systems are met, and where a default names one."""
MEETS_SYSTEMS = {"adapters", "transport", "replay", "app", "preflight", "config"}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
ROOMS = {path: path.parts[0].removesuffix(".py") for path in MODULES}


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text(encoding="utf-8"))


def imports(module: Path) -> Iterator[str]:
    """Yield the full name of everything a module imports, wherever in it the import stands."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by dots"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_used(module: Path) -> set[str]:
    """Return the other rooms of the gateway a module imports from; the package itself has only its version."""
    names = [name.split(".") for name in imports(module)]
    used = {parts[1] for parts in names if parts[0] == "gateway" and len(parts) > 1}
    return used - {ROOMS[module], "__version__"}


named = pytest.mark.parametrize("module", MODULES, ids=str)


@named
def test_every_module_has_its_layer(module: Path) -> None:
    assert ROOMS[module] in LEVEL or ROOMS[module] == "__init__"


@named
def test_a_module_imports_from_lower_layers_or_a_neighbour_it_has_a_reason_to_know(module: Path) -> None:
    room = ROOMS[module]
    strangers = {
        other for other in rooms_used(module) if LEVEL[other] >= LEVEL.get(room, -1) and (room, other) not in NEIGHBOURS
    }
    assert strangers == set()


def test_every_reason_is_still_needed() -> None:
    used = {(ROOMS[module], other) for module in MODULES for other in rooms_used(module)}
    assert set(NEIGHBOURS) - used == set()
    assert [pair for pair in NEIGHBOURS if LEVEL[pair[0]] != LEVEL[pair[1]]] == []


@named
def test_a_product_is_known_only_where_it_could_be_replaced(module: Path) -> None:
    outside = {name.split(".")[0] for name in imports(module)}
    assert {product for product in outside & set(PRODUCTS) if ROOMS[module] not in PRODUCTS[product]} == set()


@named
def test_a_vendor_is_named_only_where_systems_are_met(module: Path) -> None:
    if ROOMS[module] in MEETS_SYSTEMS:
        return
    words = (PACKAGE / module).read_text(encoding="utf-8").lower()
    assert [vendor for vendor in VENDORS if vendor in words] == []


def test_the_rules_of_meaning_touch_no_file_and_no_clock_but_the_one_they_are_given() -> None:
    world = {"asyncio", "os", "socket", "time", "random", "subprocess"}
    meaning = [module for module in MODULES if LEVEL.get(ROOMS[module]) == LEVEL["process"]]
    assert {
        (str(module), name) for module in meaning for name in imports(module) if name.split(".")[0] in world
    } == set()
