"""Watches whether each site accepts writes, at its database and at its application.

`yes` and `no` are answers; a closed port is a `no`; silence is `unknown`. A
change is logged with the time of the last probe that still gave the old value,
so that the audit never takes two probes next to each other for an overlap.
"""

import http.client
import json
import time

import psycopg2

from traffic import logs

INTERVAL = 0.2
QUERY = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on'"


class Probe:
    def __init__(self, level, site, address):
        self.level, self.site, self.address = level, site, address
        self.value, self.seen = None, 0.0
        self.connection = None

    def run(self, stopping, changes, heartbeat):
        ask = self.database if self.level == "database" else self.application
        while not stopping.is_set():
            began = time.monotonic()
            value = ask()
            moment = time.monotonic()
            # A `yes` is true at some time between question and answer; take the earlier end for
            # the end of an interval and the later one for its start.
            if value != self.value:
                changes.add(self.level, self.site, value, f"{self.seen:.3f}", at=moment)
            self.value, self.seen = value, began
            heartbeat[(self.level, self.site)] = (value, began)
            stopping.wait(max(0.05, INTERVAL - (time.monotonic() - began)))
        changes.add(self.level, self.site, "unwatched", f"{self.seen:.3f}")

    def database(self):
        try:
            if self.connection is None:
                from gitlab.gitlab_rb_template import PASSWORDS
                self.connection = psycopg2.connect(
                    host=self.address, port=5432, dbname="gitlabhq_production", user="gitlab", password=PASSWORDS["db"],
                    connect_timeout=2, tcp_user_timeout=1500, application_name="lab-watcher", options="-c statement_timeout=1500")
                self.connection.autocommit = True
            with self.connection.cursor() as cursor:
                cursor.execute(QUERY)
                return "no" if cursor.fetchone()[0] else "yes"
        except psycopg2.Error as error:
            self._close()
            text = str(error)
            silent = "timeout" in text or "timed out" in text or "No route" in text or "unreachable" in text
            return "unknown" if silent else "no"

    def _close(self):
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except psycopg2.Error:
                pass

    def application(self):
        connection = http.client.HTTPConnection(self.address, 80, timeout=2)
        try:
            connection.request("GET", "/lab/writable")
            answer = connection.getresponse()
            body = answer.read()
            return "yes" if answer.status == 200 and json.loads(body).get("writable") else "no"
        except (ConnectionError, http.client.HTTPException, ValueError):
            return "no"
        except OSError:
            return "unknown"
        finally:
            connection.close()


def probes(lab):
    result = []
    for site in lab.sites:
        nodes = [node for node in lab.nodes.values() if node.site == site]
        database = next(node for node in nodes if "postgresql" in node.components)
        result.append(Probe("database", site, database.address))
        result.append(Probe("application", site, lab.url(site).removeprefix("http://")))
    return result


def beat(folder, stopping, heartbeat):
    """Writes until when each probe has looked: the end of the last interval of the log."""
    while not stopping.wait(0.5):
        values = {f"{level} {site}": [value, moment] for (level, site), (value, moment) in dict(heartbeat).items()}
        temporary = folder / "watched.new"
        temporary.write_text(json.dumps({"monotonic": time.monotonic(), "wall": logs.now(), "probes": values}), encoding="utf-8")
        temporary.replace(folder / "watched.json")
