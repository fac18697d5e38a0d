"""A third site: a small secondary on one node, before and after the first two changed places."""

import json
import time
import unittest
from pathlib import Path

from support import contains, fault, fresh, lab, lab_command, leave, on, psql, sh, until

from infra.host import processes_with_environment
from infra.lab import MARKER

NODE, PG = "busan-1", "/var/opt/gitlab/postgresql"
TOKYO = ["tokyo-rails-1", "tokyo-rails-2", "tokyo-sidekiq-1", "tokyo-gitaly-1", "tokyo-redis-1", "tokyo-pg-1"]


def registry(query):
    return on(NODE, "gitlab-geo-psql", "-Atc", query).stdout.strip()


def complete():
    return "SUCCESS" in on(NODE, "gitlab-rake", "gitlab:geo:check_replication_verification_status").stdout


class ThreeSites(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        fresh("--sites", "3")
        lab_command("load", "start")

    @classmethod
    def tearDownClass(cls):
        leave()

    def test_1_all_services_of_a_secondary_run_on_its_node(self):
        done = on(NODE, "gitlab-ctl", "status")
        names = [line.split(":")[1].strip() for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, names), (0, ["geo-logcursor", "geo-postgresql", "gitaly", "gitlab-workhorse", "logrotate", "nginx",
                                                       "postgresql", "puma", "redis", "sidekiq"]))
        self.assertEqual(on(NODE, "gitlab-ctl", "reconfigure").returncode, 0)
        self.assertEqual(on(NODE, "gitlab-rake", "gitlab:geo:site:role").stdout, "secondary\n")

    def test_2_it_replicates_from_the_primary_beside_the_other(self):
        self.assertEqual(psql("tokyo-pg-1", "SELECT slot_name, active FROM pg_replication_slots ORDER BY 1"), "busan|t\nseoul|t")
        self.assertEqual(psql(NODE, "SELECT pg_is_in_recovery()"), "t")
        cursor = lambda: int(registry("SELECT coalesce(max(event_id), 0) FROM event_log_states"))  # noqa: E731
        before = cursor()
        until(lambda: cursor() > before + 3, what="the log cursor of busan")
        lab_command("load", "stop")
        until(complete, what="busan to be complete")
        self.assertEqual(registry("SELECT count(*) FROM project_repository_registry WHERE state = 2"), "6")
        lab_command("load", "start")
        status = "SELECT count(*) FROM geo_node_statuses WHERE updated_at > now() - interval '20 s'"
        until(lambda: psql("tokyo-pg-1", status) == "3", what="three fresh statuses")

    def test_3_after_a_failover_it_follows_nobody_until_it_is_seeded_again(self):
        """gitlab-geo.md 3.6: its row survives, its replication does not; the database of the new primary has no slot for it."""
        on("tokyo-rails-1", "gitlab-rake", "gitlab:geo:prevent_updates_to_primary_site")
        until(lambda: psql("tokyo-pg-1", "SELECT bool_and(pg_current_wal_lsn() = replay_lsn) FROM pg_stat_replication") == "t", what="replay")
        contains(on("seoul-rails-1", "gitlab-rake", "gitlab:geo:wait_until_replicated_and_verified", timeout=300).stdout, "All data successfully")
        for node in TOKYO:
            on(node, "systemctl", "disable", "gitlab-runsvdir")
            on(node, "gitlab-ctl", "stop")
        for node in ("seoul-pg-1", "seoul-gitaly-1", "seoul-sidekiq-1", "seoul-rails-1", "seoul-rails-2"):
            self.assertNotIn("NOT OK", on(node, "gitlab-ctl", "geo", "promote", "--force").stdout)
        on("seoul-rails-1", "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(maintenance_mode: false)")
        (lab().state / "dns").write_text("seoul\n")
        self.assertEqual(psql("seoul-pg-1", "SELECT name, \"primary\" FROM geo_nodes ORDER BY 1"), "busan|f\nseoul|t")
        self.assertEqual(psql("seoul-pg-1", "SELECT count(*) FROM pg_replication_slots"), "0")
        self.assertEqual(psql(NODE, "SELECT count(*) FROM pg_stat_wal_receiver"), "0")
        host = lab().nodes["seoul-pg-1"].address
        done = on(NODE, "gitlab-ctl", "replicate-geo-database", f"--host={host}", "--slot-name=busan", "--sslmode=verify-ca", "--force", "--no-wait",
                  "--skip-backup", input="practice-replication\n", timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        until(lambda: psql(NODE, "SELECT status FROM pg_stat_wal_receiver") == "streaming", what="streaming from seoul")
        until(lambda: (lab().state / "load/acked-pushes.log").read_text().count(" seoul ") > 5, what="users of seoul")
        lab_command("load", "stop")
        until(complete, what="busan to be complete")
        refs = "for r in $(find /var/opt/gitlab/git-data/repositories -name '*.git' | sort); do git -c safe.directory='*' --git-dir $r rev-parse main; done"
        until(lambda: sh(NODE, refs).stdout == sh("seoul-gitaly-1", refs).stdout != "", what="equal repositories")
        result = json.loads(lab_command("audit", "--json", check=False).stdout)
        self.assertEqual((result["verdict"], result["site"]), ("nothing lost", "seoul"), result)

    def test_4_no_push_that_waits_for_a_site_without_power_outlives_the_lab(self):
        def words(process):
            try:
                return process.joinpath("cmdline").read_bytes()
            except OSError:                                 # it has ended
                return b""

        def pushes():
            return {process.name for process in Path("/proc").glob("[0-9]*") if clones in words(process)}

        state, clones = str(lab().state), str(lab().state / "load/clones").encode()
        fault("node-down", f"{(lab().state / 'dns').read_text().strip()}-lb-1")
        lab_command("load", "start", "--push-interval", "0.1")
        until(lambda: (before := pushes()) and not time.sleep(1) and before & pushes(), what="a push that waits")
        lab_command("down")
        self.assertEqual((pushes(), processes_with_environment(MARKER, state)), (set(), []))


if __name__ == "__main__":
    unittest.main()
