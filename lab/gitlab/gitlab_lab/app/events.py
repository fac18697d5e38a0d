"""What a push leaves behind: a Geo event, a checksum to renew, and ordinary work for Sidekiq."""

import json

from gitlab_lab.rails import cron

# One writer at a time: ids of the event log are then committed in their order,
# and the log cursor cannot pass an event that becomes visible later.
LOCK = "SELECT pg_advisory_xact_lock(7266)"


def publish(main, replicable, event, payload):
    """Inside a transaction: one row of `geo_events` and one of `geo_event_log`."""
    main.query(LOCK)
    row = main.query(
        "INSERT INTO geo_events (replicable_name, event_name, payload, created_at) VALUES (%s, %s, %s, now()) RETURNING id",
        (replicable, event, json.dumps(payload)))
    main.query("INSERT INTO geo_event_log (geo_event_id, created_at) VALUES (%s, now())", (row[0]["id"],))


def pushed(main, server, project):
    with main.transaction():
        main.query("UPDATE projects SET last_activity_at = now(), last_repository_updated_at = now() WHERE id = %s", (project,))
        main.query("UPDATE project_repository_states SET verification_state = 0 WHERE project_id = %s", (project,))
        publish(main, "project_repository", "updated", {"model_record_id": project})
    try:
        cron.push(server, "geo:geo_verification", "Geo::VerificationWorker", "project_repository", project)
    except cron.Error as error:
        # The cron worker finds the pending row later.
        print(f"could not enqueue: {error}", flush=True)
    ordinary_work(server, "PostReceive", project)


def ordinary_work(server, worker, subject):
    """Jobs of the ordinary queues, so that there is something to drain before a failover."""
    try:
        cron.push(server, "default", worker, subject)
        if subject % 3 == 0:
            cron.push(server, "mailers", "ActionMailer::MailDeliveryJob", subject)
    except cron.Error as error:
        print(f"could not enqueue: {error}", flush=True)
