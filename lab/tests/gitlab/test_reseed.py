"""There and back: Tokyo fails over to Seoul, comes back as Seoul's secondary, and becomes the primary again, under load.

Everything is done with the commands that the documentation gives (gitlab-geo.md 3.1 to 3.7). The tests are steps of one story
and run in the order of their numbers.
"""

import json
import unittest

from support import contains, fault, fresh, lab, lab_command, leave, on, psql, sh, until

PROMOTE = ["gitlab-ctl", "geo", "promote", "--force"]
PG = "/var/opt/gitlab/postgresql"
PASSWORD = "practice-replication\n"
SWITCHED = ("rails-1", "rails-2", "sidekiq-1", "geo-1")
GITLAB = ("rails-1", "rails-2", "sidekiq-1", "gitaly-1", "redis-1", "geo-1", "pg-1")


def good(node, *argv, **options):
    done = on(node, *argv, **options)
    if done.returncode:
        raise AssertionError(f"{node}: {argv}: exit {done.returncode}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}")
    return done.stdout


def switch(site, to):
    """The one edit of gitlab.rb that makes a site a secondary, or ends that (gitlab/README.md, Sites that change places)."""
    for node in SWITCHED:
        good(f"{site}-{node}", "sed", "-i", "-E", rf"s/^(geo_(secondary|logcursor|postgresql)\['enable'\] = )(true|false)$/\1{to}/", "/etc/gitlab/gitlab.rb")


def reconfigure(site, nodes):
    for node in nodes:
        good(f"{site}-{node}", "gitlab-ctl", "reconfigure")


def geo(site, query):
    return on(f"{site}-geo-1", "gitlab-geo-psql", "-Atc", query).stdout.strip()


def seed(*options, answers=PASSWORD, timeout=300):
    host = lab().nodes["seoul-pg-1"].address
    return on("tokyo-pg-1", "gitlab-ctl", "replicate-geo-database", f"--host={host}", "--slot-name=tokyo", *options, input=answers, timeout=timeout)


def streams(node):
    return psql(node, "SELECT status FROM pg_stat_wal_receiver") == "streaming"


def served(site):
    return (lab().state / "load/acked-pushes.log").read_text().count(f" {site} ")


def fail_over(old, new):
    """A planned failover by hand, in the strict order of gitlab-geo.md 3.3."""
    good(f"{old}-rails-1", "gitlab-rake", "gitlab:geo:prevent_updates_to_primary_site")
    contains(good(f"{new}-rails-1", "gitlab-rake", "gitlab:geo:wait_until_replicated_and_verified", timeout=300), "All data successfully")
    for node in GITLAB:
        good(f"{old}-{node}", "systemctl", "disable", "gitlab-runsvdir")
        on(f"{old}-{node}", "gitlab-ctl", "stop")
    for node in ("pg-1", "gitaly-1", "sidekiq-1", "rails-1", "rails-2", "geo-1"):
        if "NOT OK" in good(f"{new}-{node}", *PROMOTE):
            raise AssertionError(f"{node} was not promoted")
    good(f"{new}-rails-1", "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(maintenance_mode: false)")
    (lab().state / "dns").write_text(f"{new}\n")
    before = served(new)
    until(lambda: served(new) >= before + 3, what=f"users of {new}")


class ThereAndBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fresh("--failback")
        lab_command("load", "start")
        until(lambda: served("tokyo") >= 5, what="users of tokyo")

    @classmethod
    def tearDownClass(cls):
        leave()

    def test_01_tokyo_cannot_be_a_secondary_before_it_is_configured(self):
        self.assertEqual(on("tokyo-geo-1", "gitlab-ctl", "status", "geo-postgresql").stdout, "")
        self.assertEqual(on("tokyo-sidekiq-1", "gitlab-ctl", "status", "geo-logcursor").stdout, "")
        done = on("tokyo-rails-1", "gitlab-rake", "db:migrate:geo")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Don't know how to build task 'db:migrate:geo'", done.stderr)

    def test_02_there(self):
        fail_over("tokyo", "seoul")
        switch("seoul", "false")
        reconfigure("seoul", SWITCHED)
        self.assertEqual(on("seoul-geo-1", "gitlab-ctl", "status", "geo-postgresql").stdout, "")
        self.assertEqual(psql("seoul-pg-1", "SELECT name, \"primary\" FROM geo_nodes"), "seoul|t")

    def test_03_the_nodes_come_back_and_the_old_database_does_not(self):
        """Reference 7: between start and replicate there would be two writable databases. runit's `down` file keeps one from it."""
        fault("reboot", "tokyo-pg-1")
        switch("tokyo", "true")
        for node in GITLAB:
            sh(f"tokyo-{node}", "for name in postgresql puma sidekiq geo-logcursor; do ! test -d /opt/gitlab/sv/$name || touch /opt/gitlab/sv/$name/down; done")
            sh(f"tokyo-{node}", "mv -f /etc/gitlab/gitlab-cluster.json /etc/gitlab/gitlab-cluster.json.before 2>/dev/null")
            good(f"tokyo-{node}", "systemctl", "enable", "--now", "gitlab-runsvdir")
        until(lambda: on("tokyo-pg-1", "gitlab-ctl", "status", "logrotate").returncode == 0, what="runit on tokyo-pg-1")
        self.assertEqual(on("tokyo-pg-1", "gitlab-ctl", "status", "postgresql").returncode, 3)
        for node in ("tokyo-redis-1", "tokyo-gitaly-1"):
            good(node, "gitlab-ctl", "start")
        reconfigure("tokyo", GITLAB)
        self.assertEqual(on("tokyo-pg-1", "gitlab-ctl", "status", "postgresql").returncode, 3)

    def test_04_the_default_ends_well_and_streams_nothing(self):
        """Reference 7: no root certificate, sslmode verify-full, exit 0."""
        done = seed("--no-wait", "--skip-backup")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        until(lambda: psql("tokyo-pg-1", "SELECT pg_is_in_recovery()") == "t", what="the new standby")
        log = "tail -n 20 /var/log/gitlab/postgresql/current"
        until(lambda: "change sslmode to disable server certificate verification" in sh("tokyo-pg-1", log).stdout, what="the reason in the log")
        self.assertEqual(psql("tokyo-pg-1", "SELECT count(*) FROM pg_stat_wal_receiver"), "0")
        self.assertEqual(psql("seoul-pg-1", "SELECT slot_name, active FROM pg_replication_slots"), "tokyo|f")

    def test_05_seeded_with_the_certificate_and_its_questions_answered(self):
        """gitlab-geo.md 3.5, R10 and R13a; with --force, because the database answers now and holds projects."""
        certificate = good("seoul-pg-1", "cat", f"{PG}/data/server.crt")
        sh("tokyo-pg-1", f"cat >/tmp/server.crt; install -D -o gitlab-psql -g gitlab-psql -m 0400 -T /tmp/server.crt {PG}/.postgresql/root.crt", input=certificate)
        refused = seed("--sslmode=verify-ca")
        self.assertEqual((refused.returncode, "override with --force" in refused.stdout), (1, True))
        done = seed("--sslmode=verify-ca", "--force", "--skip-backup", answers="yes\nreplicate\n" + PASSWORD)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        contains(done.stdout, "*** You entered `yes` instead of `replicate` or `no`.")
        self.assertRegex(done.stderr, r"\d+/\d+ kB \(\d+%\), 0/1 tablespace.*\r")
        until(lambda: streams("tokyo-pg-1"), what="streaming from the new primary")
        self.assertEqual(psql("seoul-pg-1", "SELECT slot_name, active FROM pg_replication_slots"), "tokyo|t")
        self.assertEqual(on("tokyo-pg-1", "test", "-e", f"{PG}/data/geo-pitr-file").returncode, 1)
        self.assertEqual(len(good("tokyo-pg-1", "sh", "-c", f"ls -d {PG}/data.*").split()), 2)
        good("tokyo-pg-1", "rm", "/opt/gitlab/sv/postgresql/down")
        reconfigure("tokyo", ["pg-1"])

    def test_06_the_tracking_database(self):
        """R14. The reconfigure has made it empty; Rails makes the tables; a drop needs a word and no one connected."""
        rake = lambda *argv: on("tokyo-rails-1", "gitlab-rake", *argv)  # noqa: E731
        self.assertEqual(geo("tokyo", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0")
        before = rake("db:migrate:status:geo")
        self.assertEqual((before.returncode, before.stderr), (1, "Schema migrations table does not exist yet.\n"))
        contains(rake("gitlab:geo:check").stdout, "correctly configured ... no\n  Try fixing it:\n  Run the tracking database migrations: gitlab-rake db:migrate:geo\n")
        self.assertEqual(rake("db:migrate:geo").returncode, 0)
        self.assertNotIn("down", rake("db:migrate:status:geo").stdout.split())
        self.assertEqual(rake("db:migrate:geo").stdout, "")
        refused = rake("db:drop:geo")
        self.assertEqual((refused.returncode, "ProtectedEnvironmentError" in refused.stderr), (1, True))
        sh("tokyo-geo-1", "gitlab-geo-psql -c 'SELECT pg_sleep(60)' >/dev/null 2>&1 & sleep 0.5")
        self.assertIn("PG::ObjectInUse", rake("db:drop:geo", "DISABLE_DATABASE_ENVIRONMENT_CHECK=1").stderr)
        geo("tokyo", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'")
        self.assertEqual(rake("db:drop:geo", "DISABLE_DATABASE_ENVIRONMENT_CHECK=1").stdout, "Dropped database 'gitlabhq_geo_production'\n")
        reconfigure("tokyo", ["geo-1"])
        self.assertEqual(rake("db:migrate:geo").returncode, 0)

    def test_07_the_site_is_registered_and_started(self):
        """R15 to R17. What was disabled by hand before the failover is still so in Tokyo's Redis (gitlab-geo.md 5.2, 9 and 20)."""
        self.assertEqual(on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:site:role").stdout, "misconfigured\n")
        url = lab().url("tokyo")
        program = f"n = GeoNode.find_or_initialize_by(name: 'tokyo'); n.assign_attributes(url: '{url}', internal_url: '{url}'); n.save!"
        self.assertIn("read-only transaction", on("tokyo-rails-1", "gitlab-rails", "runner", program).stderr)
        good("seoul-rails-1", "gitlab-rails", "runner", program)
        until(lambda: on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:site:role").stdout == "secondary\n", what="the row at tokyo")
        good("tokyo-rails-1", "gitlab-rails", "runner", "Sidekiq::Cron::Job.all.each(&:enable!)")
        for node in GITLAB:
            sh(f"tokyo-{node}", "rm -f /opt/gitlab/sv/*/down")
            good(f"tokyo-{node}", "gitlab-ctl", "restart")
            until(lambda node=node: on(f"tokyo-{node}", "gitlab-ctl", "status").returncode == 0, what=f"all services of {node}")
        check = good("tokyo-rails-1", "gitlab-rake", "gitlab:geo:check")
        for line in ("found a secondary node named \"tokyo\"", "tracking database is correctly configured ... yes", "replication working? ... yes",
                     "Can connect to the primary node ... yes"):
            self.assertIn(line, check)

    def test_08_the_backfill_reaches_everything_the_primary_has(self):
        """gitlab-geo.md 4.3: 100 % is of the rows that there are, so the rows are counted on both sides."""
        rake = lambda: on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:check_replication_verification_status")  # noqa: E731
        counts = "(SELECT count(*) FROM uploads), (SELECT count(*) FROM lfs_objects), (SELECT count(*) FROM projects)"
        there = psql("seoul-pg-1", f"SELECT {counts}")
        rows = ("SELECT (SELECT count(*) FROM file_registry WHERE state = 2 AND verification_state = 2),"
                " (SELECT count(*) FROM lfs_object_registry WHERE state = 2 AND verification_state = 2), (SELECT count(*) FROM project_repository_registry)")
        until(lambda: geo("tokyo", rows) == there, what="all registry rows")
        until(lambda: "SUCCESS - Replication is up-to-date." in rake().stdout, what="the backfill")
        cursor = geo("tokyo", "SELECT max(event_id) FROM event_log_states")
        until(lambda: int(geo("tokyo", "SELECT max(event_id) FROM event_log_states")) > int(cursor), what="the log cursor to move on")
        status = ("SELECT n.name FROM geo_node_statuses s JOIN geo_nodes n ON n.id = geo_node_id WHERE NOT \"primary\""
                  " AND s.updated_at > now() - interval '15 s' AND (status->>'uploads_synced_count')::int = 14")
        until(lambda: psql("seoul-pg-1", status) == "tokyo", what="tokyo's status at seoul")

    def test_09_a_second_life_of_a_tracking_database_is_told(self):
        """Seoul's own, of the time when it was secondary: not to be used again without a reset (gitlab-geo.md 5.1)."""
        good("seoul-geo-1", "sed", "-i", "s/^geo_postgresql\\['enable'\\] = false/geo_postgresql['enable'] = true/", "/etc/gitlab/gitlab.rb")
        reconfigure("seoul", ["geo-1"])
        self.assertEqual(geo("seoul", "SELECT count(*) > 0 FROM event_log_states"), "t")
        switch("seoul", "false")
        reconfigure("seoul", ["geo-1"])

    def test_10_and_back(self):
        fail_over("seoul", "tokyo")
        self.assertEqual(psql("tokyo-pg-1", "SELECT name, \"primary\" FROM geo_nodes"), "tokyo|t")
        done = lab_command("audit", "--json", check=False)
        result = json.loads(done.stdout)
        self.assertEqual((done.returncode, result["verdict"], result["site"], result["writes"]["lost"], result["pushes"]["lost"]),
                         (0, "nothing lost", "tokyo", 0, 0), done.stdout)
        self.assertEqual(result["database"]["two_writable"], [])


if __name__ == "__main__":
    unittest.main()
