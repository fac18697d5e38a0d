"""geo-logcursor: reads the replicated event log in order and notes in the tracking database what to do.

After a promotion it keeps running, with nothing to do on a primary.
"""

import threading

from gitlab_lab.app.signals import on_term
from gitlab_lab.rails import cron, database
from gitlab_lab.rails.site import Site

BATCH = 200


class LogCursor:
    def __init__(self):
        self.main = database.Connection("main", "geo-logcursor")
        self.geo = database.Connection("geo", "geo-logcursor")
        self.redis = cron.client(socket_timeout=5)
        self.site = Site(self.main, cache=1.0)
        self.stopping = threading.Event()

    def run(self):
        on_term("geo-logcursor", self.stopping.set)
        print("Geo log cursor started", flush=True)
        while not self.stopping.is_set():
            try:
                pause = 0.4 if self.site.role() == "secondary" and self.geo.configured else 2
                if pause < 1 and self.advance() == BATCH:
                    continue
            except Exception as error:  # noqa: BLE001, nothing but TERM ends the log cursor
                print(f"{type(error).__name__}: {str(error).strip()}", flush=True)
                pause = 1
            self.stopping.wait(pause)

    def advance(self):
        """One batch. The tracking database remembers the position, so a crash repeats and never skips."""
        position = self.geo.value("SELECT coalesce(max(event_id), 0) FROM event_log_states")
        events = self.main.read(
            "SELECT l.id, e.replicable_name, e.event_name, (e.payload->>'model_record_id')::bigint AS record FROM geo_event_log l"
            " JOIN geo_events e ON e.id = l.geo_event_id WHERE l.id > %s ORDER BY l.id LIMIT %s", (position, BATCH))
        for event in events:
            self.handle(event)
        return len(events)

    def handle(self, event):
        queue, worker = "geo:geo_sync", "Geo::EventWorker"
        with self.geo.transaction():
            if event["event_name"] in ("created", "updated"):
                self.geo.query(
                    "INSERT INTO project_repository_registry (project_id, state, verification_state, created_at) VALUES (%s, 0, 0, now())"
                    " ON CONFLICT (project_id) DO UPDATE SET state = 0, verification_state = 0, retry_at = NULL", (event["record"],))
            else:
                queue, worker = "geo:geo_verification", "Geo::VerificationWorker"
                self.geo.query("UPDATE project_repository_registry SET verification_state = 0 WHERE project_id = %s AND state = 2", (event["record"],))
            self.geo.query("INSERT INTO event_log_states (event_id, created_at) VALUES (%s, now()) ON CONFLICT DO NOTHING", (event["id"],))
        cron.push(self.redis, queue, worker, event["replicable_name"], event["record"])


def run():
    LogCursor().run()
