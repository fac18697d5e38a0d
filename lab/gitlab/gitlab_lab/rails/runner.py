"""gitlab-rails runner: exactly the programs that failover tools send, no Ruby interpreter.

Anything else gets Ruby's answer to a name it does not know.
"""

import json
import re
import secrets
import sys
import time

from gitlab_lab import faults, paths

KEPT = ("geo_metrics_update_worker", "geo_prune_event_log_worker", "geo_verification_cron_worker", "repository_check_worker")


def _normal(code):
    return re.sub(r"\s+", " ", code).strip()


def _set_maintenance(on, message=None):
    from gitlab_lab.rails import database

    main = database.Connection("main", "runner")
    if on:
        main.query("UPDATE application_settings SET maintenance_mode = true, maintenance_mode_message = %s, updated_at = now()", (message,))
    else:
        main.query("UPDATE application_settings SET maintenance_mode = false, updated_at = now()")


def _maintenance_on(match):
    text = re.sub(r"\\(['\\])", r"\1", match[1])
    _set_maintenance(True, text)


def _maintenance_off(_match):
    _set_maintenance(False)


def _silent_mode(match):
    from gitlab_lab.rails import database

    database.Connection("main", "runner").query("UPDATE application_settings SET silent_mode_enabled = %s, updated_at = now()", (match[1] == "true",))


def _cron_keep_four(_match):
    from gitlab_lab.rails import cron

    cron.set_status(cron.client(), lambda name: name in KEPT)


def _cron_all(_match):
    from gitlab_lab.rails import cron

    cron.set_status(cron.client(), lambda name: True)


def _cron_all_but(match):
    from gitlab_lab.rails import cron

    off = match[1].split()
    cron.set_status(cron.client(), lambda name: name not in off)


def _cron_show(_match):
    from gitlab_lab.rails import cron

    print(json.dumps(cron.statuses(cron.client()), separators=(",", ":")))


def _maintenance_show(_match):
    from gitlab_lab.rails import database

    value = database.Connection("main", "runner").value("SELECT maintenance_mode FROM application_settings ORDER BY id DESC LIMIT 1")
    print("true" if value else "false")


def _queues(_match):
    from gitlab_lab.rails import cron

    print(json.dumps(cron.queues(cron.client()), separators=(",", ":")))


def _metrics(_match):
    from gitlab_lab.rails import database, metrics, site

    main = database.Connection("main", "runner")
    metrics.update(site.Site(main), main, database.Connection("geo", "runner"))


def _register_site(match):
    """A new row gets a key of its own; one of that name is changed."""
    from gitlab_lab.rails import database

    name, url = match[1], match[2].rstrip("/") + "/"
    connection = database.Connection("main", "runner")
    connection.query(
        'INSERT INTO geo_nodes (name, url, internal_url, "primary", access_key) VALUES (%s, %s, %s, false, %s) ON CONFLICT (name)'
        " DO UPDATE SET url = excluded.url, internal_url = excluded.internal_url, updated_at = now()",
        (name, url, (match[3] or url).rstrip("/") + "/", secrets.token_hex(16)))
    # The pattern lets through nothing but names of columns and numbers.
    for column, number in re.findall(r"(\w+_max_capacity): (\d+)", match[4] or ""):
        connection.query(f"UPDATE geo_nodes SET {column} = %s WHERE name = %s", (int(number), name))


def _sync_object_storage(_match):
    from gitlab_lab.rails import database

    database.Connection("main", "runner").query('UPDATE geo_nodes SET sync_object_storage = true WHERE NOT "primary"')


PROGRAMS = [
    (r"::Gitlab::CurrentSettings\.update!\( ?maintenance_mode: true, maintenance_mode_message: '((?:[^'\\]|\\.)*)' ?\)", _maintenance_on),
    (r"::Gitlab::CurrentSettings\.update!\( ?maintenance_mode: false ?\)", _maintenance_off),
    (r"::Gitlab::CurrentSettings\.update!\( ?silent_mode_enabled: (true|false) ?\)", _silent_mode),
    (re.escape("Sidekiq::Cron::Job.all.each { |job| %w[" + " ".join(KEPT) + "].include?(job.name) ? job.enable! : job.disable! }"), _cron_keep_four),
    (re.escape("Sidekiq::Cron::Job.all.each(&:enable!)"), _cron_all),
    (r"Sidekiq::Cron::Job\.all\.each \{ \|job\| %w\[([\w ]+)\]\.include\?\(job\.name\) \? job\.disable! : job\.enable! \}", _cron_all_but),
    (re.escape("puts Sidekiq::Cron::Job.all.map { |job| [job.name, job.status] }.to_h.to_json"), _cron_show),
    (re.escape("puts Gitlab::CurrentSettings.maintenance_mode"), _maintenance_show),
    (re.escape('require "sidekiq/api"; puts Sidekiq::Queue.all.to_h { |queue| [queue.name, queue.size] }.to_json'), _queues),
    (re.escape("Geo::MetricsUpdateWorker.new.perform"), _metrics),
    # As GET writes them (gitlab-geo.md 3.5, R16 and R19).
    (r"n = GeoNode\.find_or_initialize_by\(name: '([^']+)'\); n\.assign_attributes\(url: '([^']+)'(?:, internal_url: '([^']+)')?((?:, \w+_max_capacity: \d+)*)\);"
     r" n\.save!", _register_site),
    (re.escape("GeoNode.secondary_nodes.each { |n| n.update(sync_object_storage: true) }"), _sync_object_storage),
]


def main(argv):
    faults.obey("gitlab-rails", argv)
    if not argv or argv[0] not in ("runner", "r"):
        print(f"Unrecognized command \"{argv[0] if argv else ''}\" (Rails::Command::UnrecognizedCommandError)", file=sys.stderr)
        return 1
    words = [word for word in argv[1:] if word not in ("-e", "production", "--environment=production")]
    time.sleep(paths.pace("rails_boot"))
    code = _normal(words[0] if words else "")
    for pattern, program in PROGRAMS:
        match = re.fullmatch(pattern, code)
        if match:
            return _perform(program, match)
    name = re.match(r"[\w:]*", code.removeprefix("puts ")).group() or code[:20]
    print("Please specify a valid ruby command or the path of a script to run.\nRun 'bin/rails runner -h' for help.\n\n"
          f"undefined local variable or method `{name}' for main:Object (NameError)", file=sys.stderr)
    return 1


def _perform(program, match):
    try:
        program(match)
    except Exception as error:  # noqa: BLE001, Rails shows any exception and exits 1
        from gitlab_lab.rails import database

        text = database.ruby_text(error) if isinstance(error, database.Error) else f"{type(error).__name__}: {error}"
        print(text, file=sys.stderr)
        return 1
    return 0


def run():
    sys.exit(main(sys.argv[1:]))
