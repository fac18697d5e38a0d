"""Watching: who sees what of the primary, what is called a disaster, and what is not."""

import json
import os
import signal
import subprocess
from pathlib import Path

from support import Story, Tool, end, lab, leave_lab, until

PROGRAM = """#!/bin/sh
echo "$GEO_FAILOVER_WAS > $GEO_FAILOVER_IS disaster=$GEO_FAILOVER_DISASTER next=$GEO_FAILOVER_NEXT" >>"$0.calls"
exit 3
"""


class Watch(Story):
    limit = 400

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-outputs")
        cls.tool = Tool(cls.lab)
        cls.tokyo = [node for node in cls.lab.nodes if node.startswith("tokyo-")]
        until(lambda: cls.tool("watch", "--once").code == 0, what="the lab to be healthy")

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    def watch(self, *argv):
        """A watch that runs, and what it said so far."""
        out, err = self.tool.state / f"{self.id()}.out", self.tool.state / f"{self.id()}.err"
        with open(out, "w") as stdout, open(err, "w") as stderr:
            process = self.tool.popen("watch", "--interval", "2s", *argv, stdin=subprocess.DEVNULL, stdout=stdout,
                                      stderr=stderr, start_new_session=True)
        self.addCleanup(end, process)
        return process, out, err

    @staticmethod
    def lines(path, kind=None):
        """Whole JSON lines, of one type."""
        text = path.read_text()
        found = [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]
        return [line for line in found if kind in (None, line["type"])]

    def test_1_who_is_cut_off_from_a_primary_that_others_see_has_no_disaster(self):
        process, out, _ = self.watch("-o", "json")
        until(lambda: [c for c in self.lines(out, "change") if c["diagnosis"]["kind"] == "healthy"], what="a first look")
        for node in self.tokyo:
            self.lab.fault("partition-operator", node)
        here = "primary-unreachable-from-here"
        until(lambda: [c for c in self.lines(out, "change") if c["change"] == "settled" and c["diagnosis"]["kind"] == here],
              what="the cut to be seen")
        finding = until(lambda: self.lines(out, "finding"), what="the check")[-1]
        self.assertEqual((finding["check"], finding["verdict"]), ("primary.not-out-of-reach", "fail"))
        self.assertSays(finding["summary"], "alive and beyond the operator's reach", "seen by seoul-pg-1", "seoul-rails-1")

        self.lab.heal()
        until(lambda: self.lines(out, "change")[-1]["diagnosis"]["kind"] == "healthy", what="the end of the cut")
        os.kill(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(300), 0)
        self.assertEqual([c for c in self.lines(out, "change") if c["change"] == "called"], [])

    def test_2_a_primary_without_power_is_suspected_then_called_and_a_plan_lies_ready(self):
        # A fence of the inventory covers what is silent, so that no plan has to wait for a person's word.
        fences = json.dumps([{"name": "power", "run": ["true"], "prove": ["false"], "sites": ["tokyo"]}])
        inventory = Path(self.lab.inventory).with_name("fences.yaml")
        inventory.write_text(Path(self.lab.inventory).read_text() + f"\nfences: {fences}\n")
        self.tool.environment["GEO_FAILOVER_INVENTORY"] = str(inventory)
        program = self.tool.state / "on-change"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        process, out, err = self.watch("-o", "json", "--until-disaster", "--on-change", program)
        until(lambda: self.lines(out, "look"), what="a first look")
        for node in self.tokyo:
            self.lab.fault("node-down", node)
        self.assertEqual(process.wait(300), 2)

        called, = [c for c in self.lines(out, "change") if c["change"] == "called"]
        self.assertIn(called["diagnosis"]["kind"], ("primary-unreachable-from-everywhere", "primary-database-down"))
        self.assertEqual(called["diagnosis"]["primary"], "tokyo")
        told = [c["change"] for c in self.lines(out, "change")]
        self.assertIn("suspected", told[:told.index("called")])
        agreeing = {vote["kind"] for vote in called["diagnosis"]["votes"] if vote.get("agrees")}
        self.assertLessEqual({"operator", "peer"}, agreeing)
        candidate, = self.lines(out, "candidate")
        self.assertEqual((candidate["from"], candidate["to"], candidate["place"]), ("tokyo", "seoul", 1))
        self.assertTrue(candidate["reasons"], candidate)
        said = self.lines(out, "next")[-1]
        self.assertEqual(said["commands"][0], f"geo-failover check --for unplanned --from tokyo --to seoul")
        command = f"geo-failover execute {said['plan']}"
        self.assertEqual(said["commands"][-1], command)
        # It is a plan like any other, and nobody executed it: that takes a person.
        self.assertEqual(self.tool("execute", said["plan"]).code, 5)
        self.assertEqual(self.tool.runs, [])
        # The program was told, and its failure was said and stopped nothing.
        calls = Path(f"{program}.calls").read_text()
        self.assertSays(calls, "disaster=yes", f"next={command}")
        self.assertSays(err.read_text(), "on-change exited with 3", "the watch goes on")
        # One look alone calls nothing, and says what each place saw.
        once = self.tool("watch", "--once")
        self.assertEqual(once.code, 2)
        self.assertSays(once.out, "primary unreachable from everywhere", "seoul-pg-1 agrees: it sees nothing of tokyo")
        self.assertNotIn("DISASTER", once.out)

