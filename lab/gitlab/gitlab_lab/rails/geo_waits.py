"""The two Geo rake tasks that wait, both without a limit of their own."""

import os
import time

from gitlab_lab.rails import cron, metrics, status_text
from gitlab_lab.rails.geo_tasks import Context
from gitlab_lab.rails.rake import Abort
from gitlab_lab.rails.runner import KEPT


def _say(text):
    print(text, flush=True)


def prevent_updates_to_primary_site():
    context = Context()
    if context.site.role() != "primary":
        raise Abort("This command is only available on a primary node")
    _say("Enabling GitLab Maintenance Mode")
    message = os.environ.get("MAINTENANCE_MESSAGE")
    context.main.query("UPDATE application_settings SET maintenance_mode = true, maintenance_mode_message = %s", (message,))
    server = cron.client()
    _say("Sidekiq Queues: Disabling all non-Geo cron jobs")
    cron.set_status(server, lambda name: name in KEPT)
    if not any("geo" in name for name in cron.queues(server)):
        raise RuntimeError("No Geo queues detected. Unable to check if Geo or non-Geo jobs are drained")
    _say("Sidekiq Queues: Waiting for all non-Geo queues to be empty")
    while any(size for name, size in cron.queues(server).items() if "geo" not in name):
        time.sleep(1)
    _say("Sidekiq Queues: Non-Geo queues empty")
    return 0


def wait_until_replicated_and_verified():
    context = Context()
    if context.site.role() != "secondary":
        raise Abort("This command is only available on a secondary node")
    server = cron.client()
    _say("Sidekiq Queues: Waiting for all Geo queues to be empty")
    while any(size for name, size in cron.queues(server).items() if "geo" in name):
        time.sleep(1)
    _say("Sidekiq Queues: Geo queues empty")
    time.sleep(min(context.main.value(metrics.LAG) or 0, 60))
    while True:
        latest = context.main.value("SELECT max(id) FROM geo_event_log") or 0
        cursor = context.geo.value("SELECT max(event_id) FROM event_log_states") or 0
        _say(f"Geo log cursor: Latest known ID: {latest}, current cursor ID: {cursor}")
        if cursor >= latest:
            break
        time.sleep(1)
    while True:
        row = metrics.collect(context.site, context.main, context.geo)
        _say(status_text.replication_rows(row))
        if status_text.complete(row):
            break
        time.sleep(1)
    _say("Data replication/verification: All data successfully replicated and verified")
    return 0


TASKS = {
    "gitlab:geo:prevent_updates_to_primary_site": prevent_updates_to_primary_site,
    "gitlab:geo:wait_until_replicated_and_verified": wait_until_replicated_and_verified,
}
