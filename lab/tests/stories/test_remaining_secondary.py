"""Three sites under load: Tokyo fails over to Seoul, and Busan, a secondary on one node that followed Tokyo, follows Seoul."""

import json
import unittest
from pathlib import Path

from support import Story, Tool, digest, lab, leave_lab, until
from terminal import Terminal

NODE = "busan-1"


class RemainingSecondary(Story):
    """The tests are steps of one story and run in the order of their numbers."""
    limit = 600

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-three", "--sites", "3")
        cls.tool = Tool(cls.lab)
        secret = cls.tool.state / "replication-password"
        secret.write_text("practice-replication\n")
        inventory = cls.tool.state / "inventory.yaml"
        # The lab's certificates are signed by nobody.
        inventory.write_text(
            Path(cls.lab.inventory).read_text() + f"replication: {{ password: 'file:{secret}', sslmode: prefer }}\n")
        cls.tool.environment["GEO_FAILOVER_INVENTORY"] = str(inventory)
        until(lambda: cls.tool("check", "--from", "tokyo", "--to", "seoul").code == 0, timeout=400, interval=2,
              what="a deployment that can fail over")
        cls.before = cls.lab.state_of_nodes()[NODE]

    @classmethod
    def tearDownClass(cls):
        leave_lab()         # of no use to anybody else

    def services(self):
        return self.lab.state_of_nodes()[NODE]["services"]

    def plan(self, runbook, old, new):
        path = self.tool.state / f"{runbook}.geoplan"
        # On a busy machine a look can be too slow to be certain of the clocks.
        until(lambda: self.planned(runbook, old, new, path).code == 0, timeout=300, interval=2, what=f"a plan of {runbook}")
        return path

    def planned(self, runbook, old, new, path):
        self.said = self.tool("plan", runbook, "--from", old, "--to", new, "--out", path)
        return self.said

    def test_1_a_secondary_that_streams_is_not_seeded_anew(self):
        answer = self.planned("reseed-secondary", "tokyo", "busan", self.tool.state / "none.geoplan")
        self.assertIn(answer.code, (2, 3), answer)
        self.assertSays(answer.text, "reseed.direction", "streams already")

    def test_2_the_plan_of_the_failover_says_what_becomes_of_it(self):
        path = self.plan("planned-failover", "tokyo", "seoul")
        self.assertSays(self.said.text, "What becomes of the other secondaries: busan: follows nobody once seoul is promoted",
                        "geo-failover plan reseed-secondary --from seoul --to busan")
        answer = self.tool("execute", path, "--approve", digest(path), timeout=400)
        self.assertEqual(answer.code, 0, answer)
        self.assertSays(self.tool("report").text, "geo-failover plan reseed-secondary --from seoul --to busan")
        self.assertEqual(self.lab.sql(NODE, "select count(*) from pg_stat_wal_receiver"), "0")

    def test_3_before_its_database_is_replaced_it_can_serve_again_as_before(self):
        path = self.plan("reseed-secondary", "seoul", "busan")
        self.assertSays(self.said.text, "stop-site", "Type the name of the node whose database is replaced")
        with Terminal(self.tool, "execute", path) as terminal:
            terminal.expect("Type the name of the site")
            terminal.type("busan")
            terminal.expect("Type the name of the node whose database is replaced")
            self.assertEqual(set(self.services().values()), {"down"})
            terminal.type("busan")
            self.assertEqual(terminal.exit(), 5, terminal.text)
        back = self.tool("abort", "--reason", "not tonight", "--yes", timeout=300)
        self.assertEqual(back.code, 0, back)
        self.assertEqual(self.services(), self.before["services"])
        self.assertEqual(self.lab.state_of_nodes()[NODE]["boot"], "enabled")
        self.assertEqual(self.lab.sql(NODE, "select pg_is_in_recovery()"), "t")

    def test_4_it_follows_the_new_primary(self):
        path = self.plan("reseed-secondary", "seoul", "busan")
        answer = self.tool("execute", path, "--approve", digest(path), timeout=500)
        self.assertEqual(answer.code, 0, f"{answer}\n{self.tool('status')}")
        self.assertEqual(self.lab.sql(NODE, "select status, sender_host from pg_stat_wal_receiver"),
                         f"streaming|{self.lab.nodes['seoul-pg-1']['address']}")
        self.assertEqual(self.lab.sql("seoul-pg-1", "select slot_name, active from pg_replication_slots"), "busan|t")
        after = self.lab.state_of_nodes()[NODE]
        for part in ("services", "boot", "gitlab.rb", "cluster file", "in recovery"):
            self.assertEqual(after[part], self.before[part], part)
        self.assertEqual([row.split("|")[0] + row[-2:] for row in after["sites"]], ["busan|f", "seoul|t"])
        self.assertEqual(self.lab.on(NODE, "sh", "-c", "ls /opt/gitlab/sv/*/down 2>/dev/null; true"), "")

    def test_5_it_is_complete_and_nothing_is_lost(self):
        until(lambda: self.tool("check", "--from", "seoul", "--to", "busan").code == 0, timeout=400, interval=2,
              what="busan to be a candidate for a failover")
        code, result = self.lab.audit()
        self.assertEqual((code, result["verdict"], result["site"], result["writes"]["lost"], result["pushes"]["lost"]),
                         (0, "nothing lost", "seoul", 0, 0), json.dumps(result)[:2000])
        self.assertEqual(result["database"]["two_writable"], [])
        lease = self.lab.files(NODE) / "var/lib/geo-failover/lease"
        self.assertFalse(lease.exists() and lease.read_text().strip())


if __name__ == "__main__":
    unittest.main()
