"""Connections to the two databases, shared by threads, made anew after the server went away."""

import contextlib
import threading

import psycopg2
import psycopg2.extras

from gitlab_lab.rails import settings

Error = psycopg2.Error


class Connection:
    """A few shared connections to one database. A thread keeps one for the length of a `transaction`;
    outside of that every statement commits by itself."""

    KEPT = 6

    def __init__(self, name, application="rails"):
        self.options = settings.databases().get(name)
        self.application = application
        self.free = []
        self.lock = threading.Lock()
        self.local = threading.local()

    @property
    def configured(self):
        return self.options is not None

    def _open(self):
        if self.options is None:
            raise psycopg2.OperationalError("the tracking database is not configured")
        connection = psycopg2.connect(
            **self.options, connect_timeout=3, application_name=self.application, keepalives_idle=5,
            keepalives_interval=2, keepalives_count=3, options="-c statement_timeout=15000", tcp_user_timeout=10000,
        )
        connection.autocommit = True
        return connection

    def _take(self):
        with self.lock:
            if self.free:
                return self.free.pop()
        return self._open()

    def _give_back(self, connection):
        with self.lock:
            if len(self.free) < self.KEPT and not connection.closed:
                self.free.append(connection)
                return
        connection.close()

    def query(self, sql, arguments=()):
        """Rows as dictionaries; an empty list for statements that return none."""
        held = getattr(self.local, "held", None)
        connection = held or self._take()
        try:
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(sql, arguments)
                rows = cursor.fetchall() if cursor.description else []
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            # The server went away: the others of the pool are dead, too.
            connection.close()
            self._forget()
            raise
        except BaseException:
            if held is None:
                self._give_back(connection)
            raise
        if held is None:
            self._give_back(connection)
        return rows

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
        connection = self.local.held = self._take()
        try:
            self.query("BEGIN")
            try:
                yield self
                self.query("COMMIT")
            except BaseException:
                with contextlib.suppress(psycopg2.Error):
                    self.query("ROLLBACK")
                raise
        finally:
            self.local.held = None
            self._give_back(connection)

    def _forget(self):
        with self.lock:
            stale, self.free = self.free, []
        for connection in stale:
            connection.close()


def ruby_text(error):
    """The exception as Rails prints it."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
        return f"ActiveRecord::StatementInvalid: PG::ReadOnlySqlTransaction: ERROR:  {text}"
    if isinstance(error, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return f"ActiveRecord::ConnectionNotEstablished: {text}"
    return f"ActiveRecord::StatementInvalid: PG::Error: ERROR:  {text}"
