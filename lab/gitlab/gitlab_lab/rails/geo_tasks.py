"""The Geo rake tasks that answer or change at once."""

import http.client
import json
import os
import urllib.request

from gitlab_lab.rails import cron, database, db_tasks, metrics, settings, status_text
from gitlab_lab.rails.rake import Abort
from gitlab_lab.rails.site import Site


class Context:
    """What most tasks need: both databases and the site."""

    def __init__(self):
        self.main = database.Connection("main", "rake")
        self.geo = database.Connection("geo", "rake")
        self.site = Site(self.main)


def role():
    found = Context().site.role()
    print(found)
    return 1 if found == "misconfigured" else 0


def set_secondary_as_primary():
    context = Context()
    own, primary = context.site.own(), context.site.primary()
    if primary is None:
        raise Abort("The primary Geo site is not set")
    if own is None:
        raise Abort("Current node is not identified")
    if own["primary"]:
        print(f"{own['url']} is already the primary Geo site")
    else:
        with context.main.transaction():
            context.main.query('DELETE FROM geo_nodes WHERE "primary"')
            context.main.query('UPDATE geo_nodes SET "primary" = true, enabled = true, updated_at = now() WHERE id = %s', (own["id"],))
            if os.environ.get("ENABLE_SILENT_MODE") == "true":
                context.main.query("UPDATE application_settings SET silent_mode_enabled = true")
        print(f"{own['url']} is now the primary Geo site")
    # This also heals a promotion that ended between the two.
    cron.initialise(cron.client(), "primary")
    return 0


def set_primary_node():
    context = Context()
    if context.site.primary() is not None:
        raise Abort("GitLab Geo primary node already present")
    name, url = settings.node_name(), settings.external_url().rstrip("/") + "/"
    print(f"Saving primary Geo node with name {name} and URL {url} ...")
    context.main.query('INSERT INTO geo_nodes (name, url, "primary", enabled) VALUES (%s, %s, true, true)', (name, url))
    print(f"{url} is now the primary Geo node")
    return 0


def update_primary_node_url():
    context = Context()
    own, primary = context.site.own(), context.site.primary()
    if primary is None or own is None or not own["primary"]:
        raise Abort("This is not a primary node")
    url = settings.external_url().rstrip("/") + "/"
    print(f"Updating primary Geo node with URL {url} ...")
    context.main.query("UPDATE geo_nodes SET name = %s, url = %s, updated_at = now() WHERE id = %s", (settings.node_name(), url, own["id"]))
    print(f"{url} is now the primary Geo node URL")
    return 0


def _secondary_or_leave(context):
    """False after saying why: on a primary these tasks print one line and exit 0."""
    found = context.site.role()
    if found == "misconfigured":
        raise Abort("Gitlab Geo is not configured for this site")
    if found == "primary":
        print("This command is only available on a secondary node")
    return found == "secondary"


def status():
    context = Context()
    if _secondary_or_leave(context):
        row = metrics.collect(context.site, context.main, context.geo)
        print(status_text.full(context.site.own(), row, _report_time(context)))
    return 0


def _report_time(context):
    return context.main.value(
        "SELECT last_successful_status_check_at FROM geo_node_statuses WHERE geo_node_id = %s", (context.site.own()["id"],))


def check_replication_verification_status():
    context = Context()
    if not _secondary_or_leave(context):
        return 0
    row = metrics.collect(context.site, context.main, context.geo)
    print(status_text.replication_rows(row))
    print()
    if status_text.complete(row):
        print("SUCCESS - Replication is up-to-date.")
        return 0
    print("ERROR - Replication is not up-to-date. \n"
          "https://docs.gitlab.com/ee/administration/geo/disaster_recovery/planned_failover.html#ensure-geo-replication-is-up-to-date")
    return 1


def _toggle(enabled):
    """Tells the primary. An unreachable primary is ignored without a word, as in the real task."""
    context = Context()
    own = context.site.own()
    if own is None:
        raise Abort("Current node is not identified")
    if own["primary"]:
        return 0
    try:
        metrics.call_primary(context.site, "PUT", f"/api/v4/geo_nodes/{own['id']}", json.dumps({"enabled": enabled}).encode())
    except OSError:
        pass
    return 0


def pause():
    return _toggle(False)


def resume():
    return _toggle(True)


def db_active():
    """Whether the local database holds projects: the only guard of a re-seed, and only while it answers."""
    main = database.Connection("main", "rake")
    if main.value("SELECT count(*) FROM projects"):
        print("Found user created projects. Database active")
        return 0
    print("No user created projects. Database not active")
    return 1


def _yes(good, detail=""):
    return f"yes{', ' + detail if detail else ''}" if good else "no"


def check():
    context = Context()
    own, found = context.site.own(), context.site.role()
    print("Checking Geo ...\n")
    print("GitLab Geo is available ... yes")
    print(f"GitLab Geo is enabled ... {_yes(bool(context.site.rows()))}")
    detail = f'found a {found} node named "{own["name"]}"' if own else ""
    print(f"This machine's Geo node name matches a database record ... {_yes(own is not None, detail)}")
    if found != "primary":
        _check_secondary(context)
    print("HTTP/HTTPS repository cloning is enabled ... yes")
    for line in ("Machine clock is synchronized", "Git user has default SSH configuration?",
                 "OpenSSH configured to use AuthorizedKeysCommand", "GitLab configured to disable writing to authorized_keys file",
                 "GitLab configured to store new projects in hashed storage?", "All projects are in hashed storage?"):
        print(f"{line} ... yes")
    print("Container Registry replication enabled ... skipped\n")
    print("Checking Geo ... Finished")
    return 0


def _tracking_problem(context):
    """None, or the hint of the real check (gitlab-geo.md 4.1)."""
    if not context.geo.configured:
        return "Rails does not appear to have the configuration necessary to connect to the Geo tracking database."
    try:
        if db_tasks.needs_migration(context.geo):
            return "Run the tracking database migrations: gitlab-rake db:migrate:geo"
        last = context.geo.value("SELECT created_at FROM event_log_states ORDER BY event_id DESC LIMIT 1")
    except database.Error:
        return "Check the tracking database configuration as the connection could not be established"
    own = context.site.own()
    registered = own and context.main.value("SELECT created_at AT TIME ZONE 'UTC' FROM geo_nodes WHERE id = %s", (own["id"],))
    # The real one compares these two (gitlab-geo.md 3.6): a database that was in use before the site was registered is from another life.
    if last and registered and last < registered:
        return "If you are reusing an existing tracking database, make sure you have reset it."
    return None


def _check_secondary(context):
    problem = _tracking_problem(context)
    print(f"GitLab Geo tracking database is correctly configured ... {_yes(problem is None)}")
    if problem:
        print(f"  Try fixing it:\n  {problem}")
    recovery = context.main.value("SELECT pg_is_in_recovery()")
    print(f"Database replication enabled? ... {_yes(recovery)}")
    working = recovery and context.main.value("SELECT count(*) FROM pg_stat_wal_receiver WHERE pid > 0") > 0
    print(f"Database replication working? ... {_yes(working)}")
    print("GitLab Geo HTTP(S) connectivity ...")
    primary = context.site.primary()
    try:
        with urllib.request.urlopen(primary["url"].rstrip("/") + "/-/health", timeout=5):
            reachable = True
    except (OSError, TypeError, http.client.HTTPException):
        reachable = False
    print(f"* Can connect to the primary node ... {_yes(reachable)}")


TASKS = {
    "gitlab:geo:site:role": role,
    "gitlab:geo:set_secondary_as_primary": set_secondary_as_primary,
    "gitlab:geo:set_primary_node": set_primary_node,
    "gitlab:geo:update_primary_node_url": update_primary_node_url,
    "gitlab:geo:check": check,
    "gitlab:geo:status": status,
    "gitlab:geo:check_replication_verification_status": check_replication_verification_status,
    "gitlab:geo:replication:pause": pause,
    "gitlab:geo:replication:resume": resume,
    "gitlab:db:active": db_active,
}
