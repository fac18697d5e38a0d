"""puma: the application. It reads its settings once, at its start."""

import re
import threading

from gitlab_lab.app import blobs, events, git_access
from gitlab_lab.app.http import MAINTENANCE, Answer, as_json, serve
from gitlab_lab.rails import cron, database, metrics
from gitlab_lab.rails.site import Site

ADDRESS = ("127.0.0.1", 8080)
READ_ONLY = "You cannot perform write operations on a read-only instance"


class Application:
    def __init__(self):
        self.main = database.Connection("main", "puma")
        self.redis = cron.client(socket_timeout=3)
        self.site = Site(self.main, cache=0.5)
        self.lock = threading.Lock()

    def answer(self, request):
        for method, pattern, action in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and request.method == method:
                return action(self, request, match)
        if request.method in ("POST", "PUT", "PATCH", "DELETE"):
            reason = self.refusal()
            return as_json(503, {"message": reason}) if reason else as_json(404, {"message": "404 Not Found"})
        return Answer(404, "The page could not be found or you don't have permission to view it.\n")

    # Whether this site takes writes now

    def refusal(self):
        """None, or why a write is refused; asked in the same way by writes, pushes and the probe."""
        row = self.main.read(
            'SELECT pg_is_in_recovery() AS replica, (SELECT maintenance_mode FROM application_settings ORDER BY id DESC LIMIT 1)'
            ' AS maintenance, (SELECT "primary" FROM geo_nodes WHERE name = %s) AS "primary"', (self.site.name,))[0]
        if row["maintenance"]:
            return MAINTENANCE
        if row["replica"] or not row["primary"]:
            return READ_ONLY
        return None

    def writable(self, _request, _match):
        try:
            reason = self.refusal()
        except database.Error as error:
            reason = database.ruby_text(error)
        return as_json(200, {"writable": reason is None, "reason": reason or "", "site": self.site.name})

    def write(self, request, _match):
        number = int(request.json().get("number", 0))
        reason = self.refusal()
        if reason:
            return as_json(503 if reason == MAINTENANCE else 403, {"message": reason})
        self.main.query("INSERT INTO lab_writes (number, site) VALUES (%s, %s)", (number, self.site.name))
        events.ordinary_work(self.redis, "NewNoteWorker", number)
        return as_json(201, {"number": number, "site": self.site.name})

    # Health

    def readiness(self, _request, _match):
        checks = {"status": "ok", "master_check": [{"status": "ok"}]}
        for name, question in (("db_check", lambda: self.main.read("SELECT 1")), ("redis_check", self.redis.ping)):
            try:
                question()
                checks[name] = [{"status": "ok"}]
            except (database.Error, cron.Error) as error:
                checks["status"] = "failed"
                checks[name] = [{"status": "failed", "message": str(error).strip().splitlines()[0]}]
        return as_json(200 if checks["status"] == "ok" else 503, checks)

    def health(self, _request, _match):
        return Answer(200, "GitLab OK")

    def sign_in(self, _request, _match):
        self.main.read("SELECT 1")
        return Answer(200, "<!DOCTYPE html><html><head><title>Sign in · GitLab</title></head><body>GitLab</body></html>\n", "text/html")

    # Other sites and nodes

    def geo_status(self, request, _match):
        row = request.json()
        node = self._geo_node(request)
        if node is None or node["id"] != row.get("geo_node_id"):
            return as_json(401, {"message": "401 Unauthorized"})
        metrics.store(self.main, node["id"], row)
        return as_json(201, {"message": "Created"})

    def geo_node(self, request, match):
        node = self._geo_node(request)
        if node is None or node["id"] != int(match[1]):
            return as_json(401, {"message": "401 Unauthorized"})
        self.main.query("UPDATE geo_nodes SET enabled = %s, updated_at = now() WHERE id = %s", (bool(request.json().get("enabled")), node["id"]))
        return as_json(200, {"id": node["id"]})

    def geo_retrieve(self, request, match):
        """A file for another site, who shows the key of its `geo_nodes` row."""
        if self._geo_node(request) is None:
            return as_json(401, {"message": "401 Unauthorized"})
        found = blobs.serve(self.main, match[1], int(match[2]))
        return as_json(404, {"message": "404 Not found"}) if found is None else Answer(200, found, "application/octet-stream")

    def _geo_node(self, request):
        key = request.headers.get("Authorization", "").removeprefix("GL-Geo ")
        return next((row for row in self.site.rows() if key and row["access_key"] == key), None)

    def allowed(self, request, _match):
        return git_access.allowed(self, request.json())

    def post_receive(self, request, _match):
        events.pushed(self.main, self.redis, int(request.json()["project_id"]))
        return as_json(200, {"reference_counter_decreased": True})


ROUTES = [
    ("GET", r"/lab/writable", Application.writable),
    ("POST", r"/lab/writes", Application.write),
    ("GET", r"/-/readiness", Application.readiness),
    ("GET", r"/-/(?:health|liveness)", Application.health),
    ("GET", r"/|/users/sign_in", Application.sign_in),
    ("POST", r"/api/v4/geo/status", Application.geo_status),
    ("PUT", r"/api/v4/geo_nodes/(\d+)", Application.geo_node),
    ("GET", r"/api/v4/geo/retrieve/([a-z_]+)/(\d+)", Application.geo_retrieve),
    ("POST", r"/api/v4/internal/allowed", Application.allowed),
    ("POST", r"/api/v4/internal/post_receive", Application.post_receive),
]


def run():
    serve("puma", ADDRESS, Application().answer)
