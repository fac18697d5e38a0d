"""SIGKILL for the tool at each kind of record of each part of a failover; what resumes ends as if nothing had happened."""

import signal
import subprocess
import time
import unittest

from support import BIN, Story, Tool, end, entry, group, lab, leave_lab, until


class Kills(Story):
    """One failover in pieces: the tool is killed as soon as a record appears that nobody was killed at before."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-kills")
        cls.tool = Tool(cls.lab)
        until(lambda: cls.tool("check").code == 0, 60, "the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan()
        cls.killed = set()
        cls.pieces = []
        cls.halts = []
        deadline = time.monotonic() + 400
        argv = ["execute", cls.plan, "--approve", cls.digest]
        while not cls.piece(argv):
            if time.monotonic() > deadline:
                raise AssertionError(f"not finished after {len(cls.pieces)} pieces: {cls.pieces[-5:]}")
            # Killed before its run was on the disk, it begins anew.
            argv = ["resume", "--approve", cls.digest] if cls.tool.journal() else argv

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    @classmethod
    def piece(cls, argv):
        """Runs the tool until it is killed or ends; whether the failover is finished."""
        output = open(cls.tool.state / f"piece-{len(cls.pieces)}", "w+b")
        process = cls.tool.popen(*argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        known = len(cls.tool.journal())
        try:
            while process.poll() is None:
                records = cls.tool.journal()
                fresh = ({(entry(record)[0], group(record)) for record in records[known:]} | cls.running(records)) - cls.killed
                known = len(records)
                if fresh:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    cls.killed |= fresh
                    cls.pieces.append(("killed", sorted(fresh)))
                    return False
                time.sleep(0.002)
        finally:
            end(process)
            output.seek(0)
            said = output.read().decode(errors="replace")
            output.close()
        cls.pieces.append((process.returncode, said[-600:]))
        # Once for each program on the operator's machine: nobody can look up what became of it.
        if process.returncode == 4 and len(cls.halts) < 2 and "its outcome was not recorded" in " ".join(said.split()):
            cls.halts.append(said)
            return False
        if process.returncode != 0:
            raise AssertionError(f"{BIN} {argv[0]} ended with {process.returncode} after {len(cls.pieces)} pieces:\n{said[-3000:]}")
        return True

    @classmethod
    def running(cls, records):
        """Commands that have begun on their nodes and of which the journal does not know the end."""
        open_keys = {}
        for record in records:
            kind, body = entry(record)
            if kind == "commandStarted":
                open_keys[body["key"]] = group(record)
            elif kind == "commandFinished":
                open_keys = {key: where for key, where in open_keys.items() if not key.endswith(f"~{body['attempt']}~{body['index']}")
                             or where != group(record)}
        return {("running", where) for key, where in open_keys.items()
                if any((cls.lab.state / "nodes").glob(f"*/root/var/lib/geo-failover/jobs/*/{key}/pid"))}

    def test_it_was_killed_in_every_part_and_finishes(self):
        places = {place for _, place in self.killed}
        self.assertGreater(len(self.killed), 50)
        self.assertLessEqual({"block-writes", "stop-application", "stop-database", "prove-zero-loss", "fence", "confirm", "promote-database",
                              "promote-first-rails", "open-writes", "move-traffic"}, places)
        for kind in ("commandStarted", "running", "commandFinished"):
            for where in ("block-writes", "stop-application", "stop-database", "promote-database"):
                self.assertIn((kind, where), self.killed)
        status = self.tool.status()
        self.assertTrue(status["isFinished"])
        self.assertEqual(status["done"], status["total"])

    def test_every_halt_is_a_question_about_the_hook_that_no_node_remembers(self):
        for said in self.halts:
            self.assertSays(said, "move-traffic", "its outcome was not recorded", "resume again to run it once more",
                            f"geo-failover resume {self.tool.runs[-1].name}")

    def test_users_are_sent_to_the_new_primary_and_write_there(self):
        """The hook runs on the operator's machine, where no node remembers whether it was run."""
        self.assertEqual((self.lab.state / "dns").read_text(), "seoul\n")
        log = self.lab.state / "load/acked-writes.log"
        until(lambda: "seoul" in log.read_text()[-2000:], 30, "users to write at seoul")

    def test_zero_writes_are_lost_and_never_two_sites_are_writable(self):
        self.lab.command("load", "stop")
        code, audit = self.lab.audit()
        self.assertEqual((code, audit["verdict"], audit["writable_now"]), (0, "nothing lost", ["seoul"]), audit)
        self.assertGreater(audit["writes"]["acknowledged"], 10)

    def test_every_node_was_promoted_once(self):
        promote = "sudo -n gitlab-ctl geo promote --force"
        for node in ("seoul-pg-1", "seoul-gitaly-1", "seoul-sidekiq-1", "seoul-rails-1", "seoul-rails-2", "seoul-geo-1"):
            with self.subTest(node):
                jobs = self.lab.jobs(node)
                self.assertEqual([command for _, _, command in jobs].count(promote), 1, jobs)
                self.assertEqual({run for run, _, _ in jobs}, {self.tool.runs[-1].name})

    def test_no_command_of_any_node_was_started_twice_under_one_key(self):
        """The node's own record: one beginning and one end per key, and the journal knows every one of them."""
        keys = {entry(record)[1]["key"] for record in self.tool.journal() if entry(record)[0] == "commandStarted"}
        for node in self.lab.nodes:
            for run, key, _ in self.lab.jobs(node):
                folder = self.lab.files(node) / "var/lib/geo-failover/jobs" / run / key
                self.assertIn(key, keys)
                self.assertEqual(len((folder / "exit").read_text().splitlines()), 1)

    def test_the_journal_is_one_chain_with_every_piece_in_it(self):
        records = self.tool.journal()
        self.assertEqual([record["sequence"] for record in records], list(range(len(records))))
        starts = [entry(record)[0] for record in records].count("runResumed")
        self.assertGreater(starts, 40)
        epochs = [entry(record)[1]["epoch"] for record in records if entry(record)[0] in ("runStarted", "runResumed")]
        self.assertEqual(epochs, sorted(set(epochs)), "every process has a later epoch")

    def test_the_report_counts_the_whole_failover(self):
        answer = self.tool("report")
        self.assertEqual(answer.code, 0)
        self.assertSays(answer.out, "finished", "RTO reached", "no committed write of the database was lost")


if __name__ == "__main__":
    unittest.main()
