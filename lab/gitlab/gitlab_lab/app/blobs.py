"""Uploads, LFS objects, job artifacts: rows in the lab, whose bytes follow from their number.

The primary serves the bytes, the secondary downloads them and compares their digest with the primary's, as it would a file.
"""

import hashlib

from gitlab_lab.rails import cron as crontab
from gitlab_lab.rails import metrics
from gitlab_lab.rails.data_types import TYPES

BLOBS = {kind.plural.removesuffix("s"): kind for kind in TYPES if kind.plural in ("uploads", "lfs_objects", "job_artifacts")}
BATCH = 20


def content(name, number):
    """What schema/seed.sql took the digests of."""
    return (f"lfs{number}" if name == "lfs_object" else str(number)).encode()


def serve(main, name, number):
    """The primary's side: the bytes, or None when there is no such row."""
    kind = BLOBS.get(name)
    if kind is None or not main.read(f"SELECT id FROM {kind.table} WHERE id = %s", (number,)):
        return None
    return content(name, number)


def enqueue(sidekiq):
    """Rows that are pending, and failed ones whose time has come."""
    for name, kind in BLOBS.items():
        rows = sidekiq.geo.read(
            f"SELECT {kind.key} AS number FROM {kind.registry} WHERE state = 0 OR (state = 3 AND retry_at < now())"
            f" OR (state = 1 AND last_synced_at < now() - interval '90 s') ORDER BY 1 LIMIT {BATCH}")
        for row in rows:
            crontab.push(sidekiq.redis, "geo:geo_sync", "Geo::EventWorker", name, row["number"])


def download(sidekiq, name, number):
    kind = BLOBS[name]
    started = sidekiq.geo.query(
        f"UPDATE {kind.registry} SET state = 1, last_synced_at = now() WHERE {kind.key} = %s AND (state IN (0, 3)"
        f" OR state = 1 AND last_synced_at < now() - interval '90 s') RETURNING id", (number,))
    if not started:
        return
    try:
        found = metrics.call_primary(sidekiq.site, "GET", f"/api/v4/geo/retrieve/{name}/{number}", None)
    except OSError as error:
        sidekiq.geo.query(
            f"UPDATE {kind.registry} SET state = 3, retry_count = coalesce(retry_count, 0) + 1, retry_at = now() + interval '4 s',"
            f" last_sync_failure = %s WHERE {kind.key} = %s AND state = 1", (f"Error downloading file: {error}"[:255], number))
        return
    digest = hashlib.sha256(found).hexdigest()
    good = digest == sidekiq.main.value(
        f"SELECT encode(verification_checksum, 'hex') FROM {kind.states} WHERE {kind.states_key} = %s AND verification_state = 2", (number,))
    sidekiq.geo.query(
        f"UPDATE {kind.registry} SET state = 2, last_synced_at = now(), retry_count = 0, retry_at = NULL, last_sync_failure = NULL,"
        f" verified_at = now(), verification_state = %s, verification_failure = %s WHERE {kind.key} = %s AND state = 1",
        (2 if good else 3, None if good else "Checksum does not match the primary checksum", number))
