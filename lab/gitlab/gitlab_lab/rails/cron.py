"""Sidekiq's queues and cron jobs in Redis, with the keys of the real ones (sidekiq-cron 1.x)."""

import json
import secrets
import time

import redis

from gitlab_lab.rails import settings

Error = redis.RedisError

# Seconds between two runs in the lab; the real ones are minutes to days apart.
JOBS = {
    "geo_metrics_update_worker": ("Geo::MetricsUpdateWorker", 3),
    "geo_prune_event_log_worker": ("Geo::PruneEventLogWorker", 60),
    "geo_verification_cron_worker": ("Geo::VerificationCronWorker", 3),
    "geo_repository_sync_worker": ("Geo::RepositorySyncWorker", 3),
    "geo_secondary_registry_consistency_worker": ("Geo::Secondary::RegistryConsistencyWorker", 60),
    "geo_sidekiq_cron_config_worker": ("Geo::SidekiqCronConfigWorker", 10),
    "repository_check_worker": ("RepositoryCheck::DispatchWorker", 60),
    "pipeline_schedule_worker": ("PipelineScheduleWorker", 20),
    "stuck_ci_jobs_worker": ("StuckCiJobsWorker", 30),
    "expire_build_artifacts_worker": ("ExpireBuildArtifactsWorker", 30),
    "trending_projects_worker": ("TrendingProjectsWorker", 60),
    "remove_expired_members_worker": ("RemoveExpiredMembersWorker", 60),
    "schedule_merge_request_cleanup_refs_worker": ("ScheduleMergeRequestCleanupRefsWorker", 60),
    "user_status_cleanup_batch_worker": ("UserStatusCleanup::BatchWorker", 60),
}
COMMON = {"geo_metrics_update_worker", "geo_verification_cron_worker", "repository_check_worker", "geo_sidekiq_cron_config_worker"}
PRIMARY_ONLY = {"geo_prune_event_log_worker"}
SECONDARY_ONLY = {"geo_repository_sync_worker", "geo_secondary_registry_consistency_worker"}


def client(**options):
    return redis.Redis(**settings.redis_address(), decode_responses=True, socket_connect_timeout=3, health_check_interval=5, **options)


def enabled_on(role, name):
    """Which jobs Geo leaves enabled: a secondary runs only its own and the common ones."""
    if role == "primary":
        return name not in SECONDARY_ONLY
    return name in COMMON or name in SECONDARY_ONLY


def wanted_on_secondary(name):
    """What `geo_sidekiq_cron_config_worker` does there: True, False, or None for what it leaves as it is."""
    if name in SECONDARY_ONLY:
        return True
    return None if name in COMMON else False


def initialise(server, role):
    """Writes every job with the status that fits the role, as the newest promotion task does."""
    for name, (worker, seconds) in JOBS.items():
        status = "enabled" if enabled_on(role, name) else "disabled"
        server.sadd("cron_jobs", f"cron_job:{name}")
        server.hset(f"cron_job:{name}", mapping={
            "name": name, "klass": worker, "cron": f"*/{seconds} * * * * *", "status": status,
            "args": "[]", "description": "", "active_job": "0",
        })


def statuses(server):
    names = sorted(key.removeprefix("cron_job:") for key in server.smembers("cron_jobs"))
    return {name: server.hget(f"cron_job:{name}", "status") for name in names}


def set_status(server, decide):
    """Gives every job the status that `decide(name)` says (True is enabled, None leaves it)."""
    for name in statuses(server):
        wanted = decide(name)
        if wanted is not None:
            server.hset(f"cron_job:{name}", "status", "enabled" if wanted else "disabled")


def queues(server):
    return {name: server.llen(f"queue:{name}") for name in sorted(server.smembers("queues"))}


def busy(server):
    """How many jobs run right now, by the heartbeat of the Sidekiq processes."""
    return sum(int(server.hget(process, "busy") or 0) for process in server.smembers("processes"))


def push(server, queue, worker, *arguments):
    job = {"class": worker, "args": list(arguments), "queue": queue, "jid": secrets.token_hex(12), "retry": 3,
           "created_at": time.time(), "enqueued_at": time.time()}
    server.sadd("queues", queue)
    server.lpush(f"queue:{queue}", json.dumps(job))
