"""The worst day of an operator: SIGKILL at each kind of record of each part of a failover, the network cut again and again
meanwhile, and twice another person goes on from a copy on a node. It ends as if nothing had happened."""

import json
import random
import shlex
import signal
import subprocess
import threading
import time
import unittest

from support import BIN, ROOT, Story, Tool, end, entry, group, lab, leave_lab, until

REASON = "the machine before this one is gone"


class Cuts:
    """Takes the operator's network away for moments, while it is wanted; so many times, since each costs seconds."""
    MOST = 32

    def __init__(self, lab):
        self.lab, self.count, self.wanted = lab, 0, threading.Event()
        self.over, self.random = threading.Event(), random.Random(20261121)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.count < self.MOST and not self.over.wait(self.random.uniform(1.0, 2.5)):
            if not self.wanted.is_set():
                continue
            self.lab.fault("cut-operator")
            self.count += 1
            self.over.wait(self.random.uniform(0.1, 1.2))
            self.lab.fault("heal", "cut-operator")

    def stop(self):
        self.over.set()
        self.thread.join()
        self.lab.heal()


class Kills(Story):
    """One failover in pieces: the tool is killed as soon as a record appears that nobody was killed at before."""

    @classmethod
    def setUpClass(cls):
        cls.lab = lab("story-kills")
        cls.tool, cls.machine = Tool(cls.lab), 0
        until(lambda: cls.tool("check").code == 0, what="the lab to be ready")
        cls.plan, cls.digest = cls.tool.plan("--drill")
        cls.before = cls.lab.state_of_nodes()
        cls.killed, cls.pieces, cls.halts, cls.kills = set(), [], [], 0
        cls.cuts = Cuts(cls.lab)
        try:
            cls.live()
        finally:
            cls.cuts.stop()
        cls.after = cls.lab.state_of_nodes()

    @classmethod
    def live(cls):
        deadline = time.monotonic() + 1500
        argv = ["execute", cls.plan, "--approve", cls.digest]
        while not cls.piece(argv):
            if time.monotonic() > deadline:
                raise AssertionError(f"not finished after {len(cls.pieces)} pieces: {cls.pieces[-5:]}")
            # Killed before its run was on the disk, it begins anew.
            if cls.tool.journal():
                argv = ["resume", "--approve", cls.digest, "--reason", REASON]
                if cls.pieces[-1][0] == 6:
                    # Killed between the copy's arrival and the takeover.
                    argv += ["--take-over", cls.tool.runs[-1].name]
            if cls.machine < 2 and cls.kills > 20 * (cls.machine + 1):
                argv = cls.another_machine() or argv

    @classmethod
    def tearDownClass(cls):
        leave_lab()

    @classmethod
    def another_machine(cls):
        """The state directory is gone with its machine; a copy of the journal, which may lack its end, is on a node."""
        cls.cuts.wanted.clear()
        run, tool = cls.tool.runs[-1].name, Tool(cls.lab)
        told = tool("status", "--on-nodes").out
        if "--from-node" not in told:
            return None
        cls.tool, cls.machine = tool, cls.machine + 1
        node = told.split(f"resume {run} --from-node ")[1].split()[0]
        return ["resume", run, "--from-node", node, "--approve", cls.digest, "--take-over", run, "--reason", REASON]

    @classmethod
    def start(cls, argv, output):
        """As a person on the machine of now."""
        command = f"hostname desk-{cls.machine}; exec " + shlex.join([BIN, *map(str, argv)])
        cls.tool.environment["USER"] = f"operator-{cls.machine}"
        return cls.tool.popen(*argv, program=["unshare", "--uts", "sh", "-c", command], stdin=subprocess.DEVNULL, stdout=output,
                              stderr=output, start_new_session=True)

    @classmethod
    def piece(cls, argv):
        """Runs the tool until it is killed or ends; whether the failover is finished."""
        output = open(cls.tool.state / f"piece-{len(cls.pieces)}", "w+b")
        known = len(cls.tool.journal())
        # Whoever takes over has to reach the node with the copy; from then on the network is as bad as before.
        if "--from-node" not in argv:
            cls.cuts.wanted.set()
        process = cls.start(argv, output)
        try:
            records, size = [], None
            while process.poll() is None:
                # Read again only when it has grown: the one who watches must not keep a core from those who are watched.
                if (now := cls.tool.journal_size()) != size:
                    records, size = cls.tool.journal(), now
                fresh = ({(entry(record)[0], group(record)) for record in records[known:]} | cls.running(records)) - cls.killed
                known = len(records)
                if fresh:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    cls.killed |= fresh
                    cls.kills += 1
                    cls.pieces.append(("killed", sorted(fresh)))
                    return False
                time.sleep(0.003)
        finally:
            end(process)
            output.seek(0)
            said = output.read().decode(errors="replace")
            output.close()
        cls.pieces.append((process.returncode, said[-600:]))
        # 4: halted for want of an answer, or for a program on the operator's machine that nobody can look up.
        # 3: too few nodes answered to begin with. 6: held by the machine before.
        if process.returncode in (3, 4, 6) and len(cls.halts) < 60:
            cls.halts.append((process.returncode, said))
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
        steps = [json.loads(line) for line in self.tool("report", "-o", "json").out.splitlines()][1:]
        self.assertEqual(len(steps), status["total"])
        for step in steps:
            # A wait whose record was lost with a machine is over, and never called proven.
            lost = step["status"] == "skipped" and "was lost with its machine" in step["detail"]
            self.assertTrue(lost or step["status"] in ("succeeded", "recovered"), step)

    def test_every_node_is_left_as_an_undisturbed_failover_leaves_it(self):
        """test_failover.py holds one against the same."""
        self.maxDiff = None
        self.assertGreater(len(self.after), 12)
        self.assertEqual(self.after, self.lab.after_failover(self.before))

    def test_the_network_was_cut_and_machines_were_lost(self):
        self.assertGreaterEqual(self.cuts.count, 30)
        self.assertEqual(self.machine, 2)
        users = {entry(record)[1]["by"]["user"] for record in self.tool.journal() if entry(record)[0] == "runResumed"}
        self.assertGreaterEqual(len(users), 2, users)

    def test_whatever_it_halted_for_it_says_what_to_do(self):
        for code, said in self.halts:
            flat = " ".join(said.split())
            self.assertRegex(flat, r"geo-failover (resume|plan|status|execute)" if code in (4, 6) else r"(?i)nothing was (changed|done)", said)

    def test_users_are_sent_to_the_new_primary_and_write_there(self):
        """The hook runs on the operator's machine, where no node remembers whether it was run."""
        self.assertEqual((self.lab.state / "dns").read_text(), "seoul\n")
        self.lab.wait_for_users_at("seoul")

    def test_zero_writes_are_lost_and_never_two_sites_are_writable(self):
        self.lab.command("load", "stop")
        code, audit = self.lab.audit()
        self.assertEqual((code, audit["verdict"], audit["writable_now"]), (0, "nothing lost", ["seoul"]), audit)
        self.assertGreater(audit["writes"]["acknowledged"], 10)

    def test_every_node_was_promoted_once(self):
        promote = "sudo -n gitlab-ctl geo promote --force --enable-silent-mode"
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

    def test_it_was_a_drill_that_nobody_outside_heard_and_the_report_says_how_to_end_it(self):
        silent = "select silent_mode_enabled from application_settings"
        self.assertEqual(self.lab.sql("seoul-pg-1", silent), "t")
        self.assertSays(self.tool("status").out, "DRILL")
        told = self.tool("report").out
        self.assertSays(told, "# DRILL: Planned failover", "silent_mode_enabled: false")
        self.lab.on("seoul-rails-1", "gitlab-rails", "runner", "::Gitlab::CurrentSettings.update!(silent_mode_enabled: false)")
        self.assertEqual(self.lab.sql("seoul-pg-1", silent), "f")


if __name__ == "__main__":
    unittest.main()
