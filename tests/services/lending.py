"""PostgreSQL databases that tests have one after the other: emptying one takes less than to make and to drop one.

A database that a test has changed the structure of, or left statistics or settings in, is not lent again.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress

from services.postgresql import PostgreSqlServer

_OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

_EMPTY = f"""
SET session_replication_role = replica;
DO $$
DECLARE
    one record;
    has_rows boolean;
    filled text[] := '{{}}';
BEGIN
    PERFORM pg_terminate_backend(pid) FROM ({_OTHERS}) AS other;
    FOR one IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
               AND relname <> 'alembic_version' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one.relname) INTO has_rows;
        IF has_rows THEN filled := filled || quote_ident(one.relname); END IF;
    END LOOP;
    IF filled <> '{{}}' THEN EXECUTE 'TRUNCATE ' || array_to_string(filled, ', '); END IF;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S';
END $$;
"""  # noqa: S608 -- texts of our own
"""Throws out whoever is connected and takes away every row, also where triggers keep rows from being deleted."""

_STRUCTURE = """
SELECT md5(string_agg(one, ' ' ORDER BY one)) FROM (
    SELECT concat_ws(',', c.oid, c.relname, c.relkind, c.reloptions) AS one
        FROM pg_class c WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(',', attrelid, attnum, attname, atttypid, attnotnull, attoptions)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT oid::text FROM pg_constraint
    UNION ALL SELECT concat_ws(',', oid, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(',', oid, prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(',', starelid, staattnum)
        FROM pg_statistic JOIN pg_class c ON c.oid = starelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT setconfig::text FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase
        WHERE datname = current_database()
    UNION ALL SELECT version_num FROM alembic_version
) AS all_of_it
"""


class Lender:
    """Lends copies of the database ``template`` of ``server``, empty as that is."""

    def __init__(self, server: PostgreSqlServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._structure = self._told(template, _STRUCTURE)

    def lend(self) -> str:
        """Return the address of a database with the tables of the template and no rows."""
        return self._free.pop() if self._free else self._server.create_database(like=self._template)

    def take_back(self, url: str) -> None:
        """Take a database back, in whatever state it is."""
        with suppress(subprocess.CalledProcessError):
            if self._told(url.rpartition("/")[2], _EMPTY + _STRUCTURE) == self._structure:
                self._free.append(url)
                return
        self._server.drop_database(url)

    def _told(self, database: str, statement: str) -> str:
        return self._server.query(statement, database)[-1][0]
