"""What Sidekiq's jobs do: ordinary work, synchronisation from the primary, verification on both sites."""

import time

from gitlab_lab import faults
from gitlab_lab.app import blobs, events
from gitlab_lab.app.http import call_json
from gitlab_lab.rails import cron as crontab
from gitlab_lab.rails import metrics, settings
from gitlab_lab.rails.data_types import TYPES

MISMATCH = "Verification failed with: Checksum does not match the primary checksum"


def perform(sidekiq, job):
    if job["class"] == "Geo::EventWorker" and job["args"][0] in blobs.BLOBS:
        if sidekiq.site.role() == "secondary":
            blobs.download(sidekiq, *job["args"])
    elif job["class"] == "Geo::EventWorker":
        synchronise(sidekiq, job["args"][1])
    elif job["class"] == "Geo::VerificationWorker":
        verify(sidekiq, job["args"][1])
    else:
        time.sleep(0.02)


def cron(sidekiq, name):
    role = sidekiq.site.role()
    if name == "geo_metrics_update_worker":
        if not faults.active("stale-status"):
            metrics.update(sidekiq.site, sidekiq.main, sidekiq.geo)
    elif name == "geo_verification_cron_worker":
        _enqueue_verification(sidekiq, role)
    elif name == "geo_repository_sync_worker":
        if role == "secondary":
            _enqueue_sync(sidekiq)
    elif name == "geo_secondary_registry_consistency_worker":
        if role == "secondary" and not faults.active("missing-registry-rows"):
            _backfill(sidekiq)
    elif name == "geo_sidekiq_cron_config_worker":
        # On a secondary its own jobs are enabled and others never stay so. On a primary nothing is enabled again by itself.
        if role == "secondary":
            crontab.set_status(sidekiq.redis, crontab.wanted_on_secondary)
    elif not name.startswith("geo_"):
        crontab.push(sidekiq.redis, "default", crontab.JOBS[name][0])


def _enqueue_sync(sidekiq):
    """Pending rows whose job was lost, and failed ones whose time has come."""
    rows = sidekiq.geo.read(
        "SELECT project_id FROM project_repository_registry WHERE (state = 0 AND created_at < now() - interval '3 s'"
        " AND coalesce(last_synced_at, '-infinity') < now() - interval '3 s')"
        " OR (state = 3 AND retry_at < now()) OR (state = 1 AND last_synced_at < now() - interval '90 s') LIMIT 10")
    if not sidekiq.redis.llen("queue:geo:geo_sync"):
        for row in rows:
            crontab.push(sidekiq.redis, "geo:geo_sync", "Geo::EventWorker", "project_repository", row["project_id"])
        blobs.enqueue(sidekiq)


def _enqueue_verification(sidekiq, role):
    if role == "primary":
        rows = sidekiq.main.read("SELECT project_id FROM project_repository_states WHERE verification_state IN (0, 3) LIMIT 10")
    elif sidekiq.geo.configured:
        rows = sidekiq.geo.read("SELECT project_id FROM project_repository_registry WHERE state = 2 AND (verification_state IN (0, 1)"
                                " OR verification_state = 3 AND verification_retry_at < now()) LIMIT 10")
    else:
        return
    if rows and not sidekiq.redis.llen("queue:geo:geo_verification"):
        for row in rows:
            crontab.push(sidekiq.redis, "geo:geo_verification", "Geo::VerificationWorker", "project_repository", row["project_id"])


def _backfill(sidekiq):
    """Registry rows for what the replicated database holds and the tracking database does not know."""
    for kind in TYPES:
        key = "project_id" if kind.key == "project_id" else "id"
        there = {row["key"] for row in sidekiq.main.read(f"SELECT {key} AS key FROM {kind.table}")}
        known = {row["key"] for row in sidekiq.geo.read(f"SELECT {kind.key} AS key FROM {kind.registry}")}
        for missing in sorted(there - known):
            sidekiq.geo.query(f"INSERT INTO {kind.registry} ({kind.key}, state, created_at) VALUES (%s, 0, now()) ON CONFLICT DO NOTHING", (missing,))


def _project(sidekiq, project):
    rows = sidekiq.main.read(
        "SELECT t.path, r.disk_path FROM routes t JOIN project_repositories r ON r.project_id = t.source_id"
        " WHERE t.source_type = 'Project' AND t.source_id = %s", (project,))
    return rows[0] if rows else None


def synchronise(sidekiq, project):
    """Fetches one repository from the primary. The row says `started` meanwhile; a new event makes
    it `pending` again, and then the result of this run is not written over it."""
    if sidekiq.site.role() != "secondary":
        return
    started = sidekiq.geo.query(
        "UPDATE project_repository_registry SET state = 1, last_synced_at = now() WHERE project_id = %s"
        " AND (state IN (0, 3) OR state = 1 AND last_synced_at < now() - interval '90 s') RETURNING id", (project,))
    row, primary = _project(sidekiq, project), sidekiq.site.primary()
    if not started or row is None or primary is None:
        return
    try:
        _, result = call_json(settings.gitaly_address(), "POST", "/fetch", {
            "repository": row["disk_path"] + ".git", "remote": f"{primary['url'].rstrip('/')}/{row['path']}.git"}, timeout=60)
    except (OSError, ValueError) as error:
        result = {"error": str(error)}
    if "error" in result:
        sidekiq.geo.query(
            "UPDATE project_repository_registry SET state = 3, retry_count = coalesce(retry_count, 0) + 1,"
            " retry_at = now() + interval '4 s', last_sync_failure = %s WHERE project_id = %s AND state = 1",
            (f"Error syncing repository: {result['error']}"[:255], project))
        return
    done = sidekiq.geo.query(
        "UPDATE project_repository_registry SET state = 2, last_synced_at = now(), retry_count = 0, retry_at = NULL,"
        " last_sync_failure = NULL, verification_state = 0 WHERE project_id = %s AND state = 1 RETURNING id", (project,))
    if done:
        verify(sidekiq, project)


def verify(sidekiq, project):
    row = _project(sidekiq, project)
    if row is None:
        return
    _, result = call_json(settings.gitaly_address(), "POST", "/checksum", {"repository": row["disk_path"] + ".git"})
    role = sidekiq.site.role()
    if role == "primary":
        _verify_primary(sidekiq, project, result)
    elif role == "secondary":
        _verify_secondary(sidekiq, project, result)


def _verify_primary(sidekiq, project, result):
    with sidekiq.main.transaction():
        sidekiq.main.query(
            "UPDATE project_repository_states SET verification_state = %s, verification_checksum = %s, verification_failure = %s,"
            " verified_at = now() WHERE project_id = %s",
            (3 if "error" in result else 2, _bytes(result), result.get("error"), project))
        events.publish(sidekiq.main, "project_repository", "checksum_succeeded", {"model_record_id": project})


def _bytes(result):
    return bytes.fromhex(result["checksum"]) if "checksum" in result else None


def _verify_secondary(sidekiq, project, result):
    """Compares with the primary's checksum. While that one is being renewed the row stays pending;
    the primary's next event comes back to it."""
    primary = sidekiq.main.read(
        "SELECT verification_state, encode(verification_checksum, 'hex') AS checksum FROM project_repository_states WHERE project_id = %s", (project,))
    if not primary or primary[0]["verification_state"] != 2:
        return
    if result.get("checksum") == primary[0]["checksum"]:
        sidekiq.geo.query(
            "UPDATE project_repository_registry SET verification_state = 2, verified_at = now(), verification_checksum = %s,"
            " verification_failure = NULL, verification_retry_count = 0, checksum_mismatch = false WHERE project_id = %s AND state = 2",
            (_bytes(result), project))
        return
    rows = sidekiq.geo.query(
        "UPDATE project_repository_registry SET verification_state = 3, verification_failure = %s, checksum_mismatch = true,"
        " verification_checksum_mismatched = %s, verification_retry_count = coalesce(verification_retry_count, 0) + 1,"
        " verification_retry_at = now() + interval '4 s' WHERE project_id = %s AND state = 2 RETURNING verification_retry_count",
        (result.get("error", MISMATCH), _bytes(result), project))
    if rows and rows[0]["verification_retry_count"] % 2:
        # The repository changed after it was fetched: fetch again, as Geo resyncs after a mismatch.
        sidekiq.geo.query("UPDATE project_repository_registry SET state = 0, verification_state = 0 WHERE project_id = %s AND state = 2", (project,))
        crontab.push(sidekiq.redis, "geo:geo_sync", "Geo::EventWorker", "project_repository", project)
