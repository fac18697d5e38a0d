"""Geo::MetricsUpdateWorker: counts what is there and stores it as the status of this site.

A primary writes its own row. A secondary sends its numbers to the primary by
HTTP, as Geo does, so the row goes stale when the primary cannot be reached.
"""

import http.client
import json
import urllib.request

from gitlab_lab.rails import settings
from gitlab_lab.rails.data_types import TYPES

VERSION, REVISION = "19.3.0-ee", "440b1f83c21"
LAG = """SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
    ELSE EXTRACT(EPOCH FROM now() - pg_last_xact_replay_timestamp())::INTEGER END AS replication_lag"""
COLUMNS = """db_replication_lag_seconds last_event_id last_event_date cursor_last_event_id cursor_last_event_date
    status_message replication_slots_count replication_slots_used_count replication_slots_max_retained_wal_bytes
    version revision storage_configuration_digest status last_successful_status_check_at""".split()


def collect(site, main, geo):
    """The status of this site now, as a row of `geo_node_statuses` without its keys."""
    row = {
        "version": VERSION, "revision": REVISION, "status_message": "Healthy",
        "storage_configuration_digest": "d10b7cb6b2c9f2a4a6f0f3b7b0e5c1de8a4f9c33", "status": {},
    }
    last = main.read("SELECT id, created_at FROM geo_event_log ORDER BY id DESC LIMIT 1")
    if last:
        row["last_event_id"], row["last_event_date"] = last[0]["id"], last[0]["created_at"]
    if site.role() == "primary":
        _primary(row, main)
    else:
        _secondary(row, main, geo)
    return row


def _primary(row, main):
    for kind in TYPES:
        counts = main.read(
            f"SELECT (SELECT count(*) FROM {kind.table}) AS count, count(*) AS total,"
            f" count(*) FILTER (WHERE verification_state = 2) AS good, count(*) FILTER (WHERE verification_state = 3) AS bad"
            f" FROM {kind.states}")[0]
        row["status"].update({
            f"{kind.plural}_count": counts["count"], f"{kind.plural}_checksum_total_count": counts["total"],
            f"{kind.plural}_checksummed_count": counts["good"], f"{kind.plural}_checksum_failed_count": counts["bad"],
        })
    slots = main.read(
        "SELECT count(*) AS count, count(*) FILTER (WHERE active) AS used,"
        " coalesce(max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)), 0)::bigint AS retained"
        " FROM pg_replication_slots WHERE slot_type = 'physical'")[0]
    row["replication_slots_count"], row["replication_slots_used_count"] = slots["count"], slots["used"]
    row["replication_slots_max_retained_wal_bytes"] = slots["retained"]


def _secondary(row, main, geo):
    row["db_replication_lag_seconds"] = main.value(LAG)
    cursor = geo.read("SELECT event_id, created_at FROM event_log_states ORDER BY event_id DESC LIMIT 1")
    if cursor:
        row["cursor_last_event_id"], row["cursor_last_event_date"] = cursor[0]["event_id"], cursor[0]["created_at"]
    for kind in TYPES:
        counts = geo.read(
            f"SELECT count(*) AS total, count(*) FILTER (WHERE state = 2) AS synced, count(*) FILTER (WHERE state = 3) AS failed,"
            f" count(*) FILTER (WHERE state = 2 AND verification_state = 2) AS verified,"
            f" count(*) FILTER (WHERE verification_state = 3) AS unverified FROM {kind.registry}")[0]
        row["status"].update({
            f"{kind.plural}_count": counts["total"], f"{kind.plural}_registry_count": counts["total"],
            f"{kind.plural}_synced_count": counts["synced"], f"{kind.plural}_failed_count": counts["failed"],
            f"{kind.plural}_verification_total_count": counts["total"], f"{kind.plural}_verified_count": counts["verified"],
            f"{kind.plural}_verification_failed_count": counts["unverified"],
        })


def store(main, node_id, row):
    """Writes a status row; only a primary's database accepts it."""
    values = [json.dumps(row[name]) if name == "status" else row.get(name) for name in COLUMNS[:-1]]
    updates = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
    main.query(
        f"INSERT INTO geo_node_statuses (geo_node_id, {', '.join(COLUMNS)}, created_at, updated_at)"
        f" VALUES (%s, {', '.join(['%s'] * len(values))}, now(), now(), now())"
        f" ON CONFLICT (geo_node_id) DO UPDATE SET {updates}, updated_at = now()",
        [node_id, *values],
    )


def update(site, main, geo):
    """One run of the worker."""
    row = collect(site, main, geo)
    own = site.own()
    if own is None:
        return
    if own["primary"]:
        store(main, own["id"], row)
        return
    body = json.dumps({"geo_node_id": own["id"], **row}, default=str).encode()
    call_primary(site, "POST", "/api/v4/geo/status", body)


def call_primary(site, method, path, body, timeout=5):
    """A request to the primary site, authorised by the key both databases hold."""
    primary, own = site.primary(), site.own()
    if primary is None or own is None:
        raise OSError("The primary Geo site is not set")
    request = urllib.request.Request(
        primary["url"].rstrip("/") + path, data=body, method=method,
        headers={"Content-Type": "application/json", "Authorization": f"GL-Geo {own['access_key']}",
                 "User-Agent": f"GitLab-Geo/{VERSION} ({settings.node_name()})"},
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read()
    except http.client.HTTPException as error:
        raise OSError(f"{primary['url']}: {error!r}") from error
