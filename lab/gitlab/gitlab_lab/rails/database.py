"""Connections to the two databases, which reconnect after the server went away."""

import contextlib
import threading

import psycopg2
import psycopg2.extras

from gitlab_lab.rails import settings

Error = psycopg2.Error


class Connection:
    """One connection per thread. Statements commit by themselves unless in a `transaction`."""

    def __init__(self, name, application="rails"):
        self.options = settings.databases().get(name)
        self.application = application
        self.local = threading.local()

    @property
    def configured(self):
        return self.options is not None

    def _open(self):
        connection = getattr(self.local, "connection", None)
        if connection is None or connection.closed:
            if self.options is None:
                raise psycopg2.OperationalError("the tracking database is not configured")
            connection = psycopg2.connect(
                **self.options, connect_timeout=3, application_name=self.application, keepalives_idle=5,
                keepalives_interval=2, keepalives_count=3, options="-c statement_timeout=15000",
                tcp_user_timeout=10000,
            )
            connection.autocommit = True
            self.local.connection = connection
        return connection

    def query(self, sql, arguments=()):
        """Rows as dictionaries; an empty list for statements that return none."""
        connection = self._open()
        try:
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else []
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            self.close()
            raise

    def read(self, sql, arguments=()):
        """A query that may be repeated once: the first may have met a dead connection."""
        try:
            return self.query(sql, arguments)
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            return self.query(sql, arguments)

    def value(self, sql, arguments=()):
        rows = self.read(sql, arguments)
        return next(iter(rows[0].values())) if rows else None

    @contextlib.contextmanager
    def transaction(self):
        self.query("BEGIN")
        try:
            yield self
            self.query("COMMIT")
        except BaseException:
            with contextlib.suppress(psycopg2.Error):
                self.query("ROLLBACK")
            raise

    def close(self):
        connection = getattr(self.local, "connection", None)
        self.local.connection = None
        if connection is not None:
            with contextlib.suppress(psycopg2.Error):
                connection.close()


def ruby_text(error):
    """The exception as Rails prints it."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
        return f"ActiveRecord::StatementInvalid: PG::ReadOnlySqlTransaction: ERROR:  {text}"
    if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return f"ActiveRecord::ConnectionNotEstablished: {text}"
    return f"ActiveRecord::StatementInvalid: PG::Error: ERROR:  {text}"
