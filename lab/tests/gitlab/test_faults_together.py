"""Several faults at once: any set heals, together and one by one, in any order. Needs the lab."""

import json
import unittest
from unittest import mock

from support import fault, geo_psql, lab, lab_command, on, psql, sh, until

from gitlab import faults_replication
from gitlab.asking import databases

NODE = "seoul-pg-1"
CLUSTER = "/etc/gitlab/gitlab-cluster.json"
# Each makes the cure of another one hard: commands that fail, hang or lie, a site cut off, a replica that waits.
SET = [
    ["stub-attributes", NODE], ["empty-cluster-json", NODE], ["reconfigure-fails", NODE], ["garbage", NODE], ["hung-command", NODE, "gitlab-ctl"],
    ["hung-service", NODE, "postgresql"], ["pause-replay"], ["missing-registry-rows"], ["garbage", "seoul-geo-1"], ["partition", "tokyo"],
    ["full-disk", NODE], ["node-down", "tokyo-sidekiq-1"],
]


def active():
    return [(f["name"], f["target"]) for f in json.loads(lab_command("fault", "--json", "list").stdout)]


class Together(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab()

    def tearDown(self):
        lab_command("fault", "heal")

    def assertHealthy(self):
        self.assertEqual(active(), [])
        self.assertEqual(on(NODE, "gitlab-ctl", "reconfigure").returncode, 0)
        self.assertEqual(on(NODE, "gitlab-ctl", "status").returncode, 0)
        self.assertEqual(sh(NODE, "find /opt/gitlab/lab/kept /opt/gitlab/lab/faults -type f 2>/dev/null").stdout, "")
        self.assertEqual(psql(NODE, "SELECT pg_is_in_recovery(), pg_is_wal_replay_paused()"), "t|f")
        self.assertEqual(psql("tokyo-pg-1", "SELECT bool_and(enabled) FROM geo_nodes"), "t")
        self.assertEqual(geo_psql("SELECT count(*) FROM file_registry"), "14")

    def break_everything(self, order):
        # The pause needs gitlab-ctl and the network, so it comes before what takes those away.
        for words in sorted(order, key=lambda words: words[0] != "pause-replay"):
            fault(*words)

    def test_all_at_once(self):
        for order in (SET, SET[::-1]):
            with self.subTest(first=order[0][0]):
                self.break_everything(order)
                self.assertEqual(len(active()), len(SET))
                lab_command("fault", "heal")
                self.assertHealthy()

    def test_one_by_one_in_any_order(self):
        for order in (SET, SET[::-1], SET[4:] + SET[:4]):
            with self.subTest(first=order[0][0]):
                self.break_everything(SET)
                for words in order:
                    fault("heal", *words[:2])
                self.assertHealthy()

    def test_a_cluster_file_that_was_there_comes_back(self):
        text = '{\n  "geo_secondary": {\n    "enable": false\n  }\n}'
        sh("tokyo-sidekiq-1", f"cat >{CLUSTER}; chmod 600 {CLUSTER}", input=text)
        for _ in range(2):
            fault("empty-cluster-json", "tokyo-sidekiq-1")
        self.assertEqual(sh("tokyo-sidekiq-1", f"stat -c %s {CLUSTER}").stdout, "0\n")
        fault("heal")
        self.assertEqual(sh("tokyo-sidekiq-1", f"cat {CLUSTER}; stat -c %a {CLUSTER}").stdout, text + "600\n")
        fault("empty-cluster-json", "tokyo-sidekiq-1")
        sh("tokyo-sidekiq-1", f"rm {CLUSTER}")
        fault("heal")
        self.assertEqual(sh("tokyo-sidekiq-1", f"test -e {CLUSTER}").returncode, 1)

    def test_what_was_mended_by_hand_stays(self):
        fault("stub-attributes", "tokyo-gitaly-1")
        on("tokyo-gitaly-1", "gitlab-ctl", "reconfigure")
        attributes = sh("tokyo-gitaly-1", "cat /opt/gitlab/embedded/nodes/*").stdout
        fault("heal")
        self.assertEqual(sh("tokyo-gitaly-1", "cat /opt/gitlab/embedded/nodes/*").stdout, attributes)

    def test_what_cannot_be_healed_is_said_and_keeps_nothing_else(self):
        fault("missing-registry-rows")
        fault("garbage", "tokyo-gitaly-1")
        fault("node-down", "seoul-geo-1")
        done = lab_command("fault", "heal", "missing-registry-rows", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not healed: missing-registry-rows: node seoul-geo-1 is not running", done.stderr)
        self.assertIn(("missing-registry-rows", None), active())
        fault("heal", "garbage")
        fault("heal")
        self.assertEqual(active(), [])

    def test_a_cure_waits_for_the_database_of_a_node_that_boots(self):
        """The database of a node that lost power has to recover first."""
        fault("pause-replay")
        fault("missing-registry-rows")
        for node in (NODE, "tokyo-pg-1", "seoul-geo-1"):
            fault("node-down", node)
        fault("heal")
        self.assertHealthy()

    def test_a_database_that_is_stopped_while_it_is_healed_keeps_nothing_else(self):
        """As the guard stops the one of a former primary that boots, between two questions of the lab."""
        fault("pause-replay")

        def stopped_after_the_answer(lab):
            for found in databases(lab):
                on(found[1].name, "gitlab-ctl", "stop", "postgresql")
                yield found

        with mock.patch.object(faults_replication, "databases", stopped_after_the_answer):
            faults_replication.resume_replay(lab(), None, [])
        self.assertEqual(sh(NODE, f"test -e /{faults_replication.PITR_FILE}").returncode, 1)
        for node in ("tokyo-pg-1", NODE):
            on(node, "gitlab-ctl", "start", "postgresql")
        fault("heal")
        self.assertHealthy()

    def test_a_database_meets_the_full_disk_and_recovers(self):
        grow = "CREATE TABLE IF NOT EXISTS lab_growth AS SELECT repeat(md5(n::text), 50) AS filler FROM generate_series(1, 40000) AS n"
        fault("full-disk", "tokyo-pg-1")
        done = on("tokyo-pg-1", "gitlab-psql", "-c", grow)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("No space left on device", done.stderr)
        self.assertEqual(sh("tokyo-pg-1", "df --output=pcent /var/opt/gitlab /var/log/gitlab | tail -n +2").stdout.split(), ["100%"] * 2)
        fault("heal")
        until(lambda: on("tokyo-pg-1", "gitlab-psql", "-c", grow).returncode == 0, what="the database after the full disk")
        psql("tokyo-pg-1", "DROP TABLE lab_growth")
        until(lambda: on("tokyo-pg-1", "gitlab-ctl", "status").returncode == 0, what="all services")
        # The primary recovers from its crash first, and the standby asks it anew every few seconds.
        until(lambda: psql(NODE, "SELECT status FROM pg_stat_wal_receiver") == "streaming", timeout=300, what="replication",
              explain=lambda: sh(NODE, "tail -n 20 /var/log/gitlab/postgresql/current").stdout)


if __name__ == "__main__":
    unittest.main()
