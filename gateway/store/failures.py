"""What an error of a database means: it is away, it does not let us in, or the mistake is ours."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError, InterfaceError, NotSupportedError, OperationalError

from gateway.errors import ConfigurationError, DependencyDownError, Fault, WrittenMeanwhileError

DATABASE_DOWN = Fault("database.down", "Databasen svarar inte.", "The database does not answer.")
NOT_LET_IN = Fault(
    "database.not-let-in",
    "Databasen släpper inte in gatewayen: fel användare eller lösenord.",
    "The database does not let the gateway in: wrong user or password.",
)
NO_DATABASE = Fault(
    "database.missing",
    "Databasservern har ingen databas med det namnet.",
    "The database server has no database of that name.",
)
NOT_ALLOWED = Fault(
    "database.not-allowed",
    "Databasanvändaren saknar rättighet att läsa, skriva eller skapa gatewayens tabeller.",
    "The database user may not read, write or create the tables of the gateway.",
)
NO_CONNECTION_OPTION = Fault(
    "database.options",
    "Databasens adress har en inställning med ett värde som inte finns.",
    "The address of the database has an option with a value that does not exist.",
)

WRITTEN_MEANWHILE = Fault(
    "database.written-meanwhile",
    "Någon annan skrev samma sak samtidigt; försök igen.",
    "Someone else wrote the same at the same time; try again.",
)

_SQLITE_AWAY = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_NOTADB",
    "SQLITE_READONLY",
)
"""Result codes of SQLite that say the file cannot be used now; every other one is about the statement."""

_POSTGRESQL_AWAY = (
    "08",  # the connection broke
    "25P03",  # the transaction was idle for too long and was ended
    "40001",  # another transaction changed the same at the same time
    "40P01",  # two transactions waited for each other
    "53",  # no disk, memory or connection left
    "55P03",  # another transaction kept a lock for too long
    "57014",  # the statement took too long, or an administrator stopped it
    "57P",  # the server is ending, starting, or has crashed
    "58",  # its machine failed it
    "XX001",  # damaged data
    "XX002",  # a damaged index
)
"""SQLSTATE codes, or their beginnings, that say it may go better another time."""

_READ_ONLY_SERVER = "25006"
"""SQLSTATE of a statement that would change something where nothing may be changed."""

_UNIQUE = "23505"
"""SQLSTATE of a row that is there already.

Whoever writes has looked beforehand, so another transaction has written it since: the next try will see it. Where it
does not, and in SQLite, whose writers do not overlap, the same error is a mistake of ours.
"""

_POSTGRESQL_REFUSES = {"28": NOT_LET_IN, "3D000": NO_DATABASE, "42501": NOT_ALLOWED}
"""SQLSTATE codes, or their beginnings, that say that somebody must set something right."""


def meaning(error: DBAPIError, *, read_only: bool) -> Exception:
    """Return what to raise for an error in a transaction: one of ours when nobody has made a mistake in the program."""
    code = getattr(error.orig, "sqlite_errorname", None)
    if isinstance(code, str):
        return DependencyDownError(DATABASE_DOWN.at()) if code.startswith(_SQLITE_AWAY) else error
    if error.orig is not None and hasattr(error.orig, "sqlstate"):
        return _meaning_of_state(error, error.orig.sqlstate or "", read_only=read_only)
    return DependencyDownError(DATABASE_DOWN.at()) if isinstance(error, OperationalError | InterfaceError) else error


def _meaning_of_state(error: DBAPIError, state: str, *, read_only: bool) -> Exception:
    for beginning, fault in _POSTGRESQL_REFUSES.items():
        if state.startswith(beginning):
            return ConfigurationError(fault.at())
    if state == _UNIQUE:
        return WrittenMeanwhileError(WRITTEN_MEANWHILE.at())
    away = (
        error.connection_invalidated
        or state.startswith(_POSTGRESQL_AWAY)
        or (state == _READ_ONLY_SERVER and not read_only)  # where we only read, it is our own statement that is wrong
        or isinstance(error, NotSupportedError)  # prepared before another process brought the tables up to date
    )
    if away:
        return DependencyDownError(DATABASE_DOWN.at())
    cause = error.orig.__cause__ if error.orig is not None else None
    if error.statement is None and isinstance(cause, ValueError):  # while connecting: it cannot read an option
        return ConfigurationError(NO_CONNECTION_OPTION.at())
    return error
