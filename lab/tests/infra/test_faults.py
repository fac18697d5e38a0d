"""Each fault does what it says, can be repeated, and heals."""
import json
import subprocess
import time
import unittest

from support import STATE, lab, net, nodes, operator_reaches, reaches, until

NAME = "test-faults"


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        lab(NAME, "down")
        lab(NAME, "up", "--bare")
        cls.number = net(NAME)

    @classmethod
    def tearDownClass(cls):
        lab(NAME, "down")

    def tearDown(self):
        lab(NAME, "fault", "heal")

    def address(self, name):
        return nodes(NAME)[name]["address"]

    def fault(self, *argv, **options):
        return lab(NAME, "fault", *argv, **options)

    def active(self):
        return [(f["name"], f["target"]) for f in json.loads(self.fault("--json", "list").stdout)]

    def test_node_down_and_back_with_its_disk(self):
        address = self.address("tokyo-gitaly-1")
        lab(NAME, "exec", "tokyo-gitaly-1", "--", "sh", "-c", "echo kept >/var/kept")
        self.fault("node-down", "tokyo-gitaly-1")
        self.fault("node-down", "tokyo-gitaly-1")
        self.assertFalse(operator_reaches(address))
        self.assertEqual(nodes(NAME)["tokyo-gitaly-1"]["state"], "down (fault)")
        lab(NAME, "up")                         # repairs, but does not heal
        self.assertFalse(operator_reaches(address))
        self.fault("heal", "node-down")
        self.assertEqual(lab(NAME, "ssh", "tokyo-gitaly-1", "cat /var/kept").stdout, "kept\n")

    def test_reboot_is_a_new_start_on_the_same_disk(self):
        first = lab(NAME, "exec", "tokyo-pg-1", "--", "cat", "/etc/machine-id").stdout
        lab(NAME, "exec", "tokyo-pg-1", "--", "touch", "/run/gone")
        self.fault("reboot", "tokyo-pg-1")
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "cat /etc/machine-id; ls /run/gone 2>/dev/null; true").stdout, first)
        self.assertEqual(self.active(), [])

    def test_partition_separates_the_sites_only(self):
        self.fault("partition", "tokyo")
        self.assertFalse(reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")))
        self.assertFalse(reaches(NAME, "seoul-pg-1", self.address("tokyo-pg-1")))
        until(lambda: reaches(NAME, "tokyo-pg-1", self.address("tokyo-rails-1")), what="the network")
        until(lambda: operator_reaches(self.address("tokyo-pg-1")), what="the network")
        until(lambda: operator_reaches(self.address("seoul-pg-1")), what="the network")
        self.fault("reboot", "tokyo-pg-1")
        self.assertFalse(reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")))
        self.fault("heal", "partition", "tokyo")
        until(lambda: reaches(NAME, "tokyo-pg-1", self.address("seoul-pg-1")), what="the network")

    def test_partition_of_the_operator(self):
        self.fault("partition-operator", "tokyo-pg-1")
        self.assertFalse(operator_reaches(self.address("tokyo-pg-1")))
        until(lambda: operator_reaches(self.address("tokyo-rails-1")), what="the network")
        until(lambda: reaches(NAME, "seoul-pg-1", self.address("tokyo-pg-1")), what="the network")
        self.fault("heal")
        until(lambda: operator_reaches(self.address("tokyo-pg-1")), what="the network")

    def test_the_operators_own_network_is_cut(self):
        self.fault("cut-operator")
        for node in ("tokyo-pg-1", "seoul-pg-1"):
            self.assertFalse(operator_reaches(self.address(node)))
        until(lambda: reaches(NAME, "seoul-pg-1", self.address("tokyo-pg-1")), what="the network")
        self.fault("heal", "cut-operator")
        until(lambda: operator_reaches(self.address("seoul-pg-1")), what="the network")

    def test_cut_replication_closes_the_database_port_between_sites_only(self):
        for node in ("tokyo-pg-1", "tokyo-rails-1"):
            lab(NAME, "exec", node, "--", "sh", "-c",
                "setsid python3 -c 'import socket\ns = socket.create_server((\"\", 5432))\nwhile True: s.accept()[0].sendall(b\"x\")' >/dev/null 2>&1 &")
        far, near = self.address("tokyo-pg-1"), self.address("tokyo-rails-1")
        until(lambda: reaches(NAME, "seoul-pg-1", far, 5432), what="the listener")
        self.fault("cut-replication")
        self.assertFalse(reaches(NAME, "seoul-pg-1", far, 5432))
        until(lambda: reaches(NAME, "seoul-pg-1", far, 22), what="the network")
        until(lambda: reaches(NAME, "tokyo-pg-1", near, 5432), what="the database port inside the site")
        self.fault("heal", "cut-replication")
        until(lambda: reaches(NAME, "seoul-pg-1", far, 5432), what="the network")

    def test_slow_link(self):
        def seconds(source):
            command = f"ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i /tmp/key geo-ops@{source} 'head -c 150000 /dev/urandom' | wc -c"
            began = time.monotonic()
            done = lab(NAME, "exec", "seoul-pg-1", "--", "sh", "-c", command)
            self.assertEqual(done.stdout.strip(), "150000", done.stderr)
            return time.monotonic() - began
        key = (STATE / NAME / "id_ed25519").read_text()
        lab(NAME, "exec", "seoul-pg-1", "--", "sh", "-c", f"umask 077; cat >/tmp/key <<'E'\n{key}E\n")
        self.fault("slow-link", "tokyo", "512kbit")
        self.assertGreater(seconds(self.address("tokyo-pg-1")), 1.8)      # 1.2 Mbit at 0.512 Mbit/s
        self.fault("heal")
        until(lambda: seconds(self.address("tokyo-pg-1")) < 1.8, what="a fast link")
        self.assertEqual(self.fault("slow-link", "tokyo", "fast", check=False).returncode, 1)

    def sh(self, script, node="tokyo-pg-1"):
        return lab(NAME, "exec", node, "--", "bash", "-c", script, check=False)

    def percent_used(self, node="tokyo-pg-1", places="/ /etc/gitlab /opt/gitlab /var/log/gitlab /var/opt/gitlab /var/lib /tmp"):
        return set(self.sh(f"mkdir -p {places} 2>/dev/null; df --output=pcent {places} | tail -n +2", node).stdout.split())

    def test_full_disk_is_full_wherever_gitlab_writes_and_nowhere_else(self):
        self.assertEqual(self.percent_used(), {"1%"})
        self.sh("echo old >/etc/gitlab/old; rm -f /etc/gitlab/new")
        self.fault("full-disk", "tokyo-pg-1")
        self.fault("full-disk", "tokyo-pg-1")
        self.assertEqual(self.percent_used(), {"100%"})
        self.assertEqual(self.sh("df --output=avail / | tail -1").stdout.strip(), "0")
        self.assertEqual(self.percent_used("tokyo-gitaly-1"), {"1%"})
        for place in ("/etc/gitlab", "/opt/gitlab", "/var/log/gitlab", "/var/opt/gitlab", "/var/lib", "/tmp"):
            done = self.sh(f"seq 2000 | dd of={place}/new")
            self.assertNotEqual(done.returncode, 0, place)
            self.assertIn("No space left on device", done.stderr)
        self.assertEqual(self.sh("cat /etc/gitlab/old").stdout, "old\n")
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "sudo -n id -un").stdout, "root\n")
        self.fault("heal", "full-disk")
        self.assertEqual(self.percent_used(), {"1%"})
        self.assertEqual(self.sh("stat -c %s /etc/gitlab/new").stdout, "0\n")        # what the full disk did stays done
        self.assertEqual(self.sh("seq 2000 >/etc/gitlab/new").returncode, 0)

    def test_full_disk_fills_the_files_that_are_open_too(self):
        """As a database meets it: its file is there and open, and the next block is not to be had."""
        self.sh("setsid python3 -c 'import time\nf = open(\"/var/lib/grows\", \"wb\", 0)\nwhile 1:\n try: f.write(b\"x\" * 8192)\n"
                " except OSError as e: open(\"/run/met\", \"w\").write(e.strerror); break\n time.sleep(.05)' >/dev/null 2>&1 &")
        until(lambda: self.sh("test -s /var/lib/grows").returncode == 0, what="the writer")
        self.fault("full-disk", "tokyo-pg-1")
        until(lambda: self.sh("cat /run/met").stdout == "No space left on device", what="the writer to meet the full disk")

    def test_full_disk_outlives_a_reboot_and_the_operator_gets_in(self):
        self.fault("full-disk", "tokyo-pg-1")
        self.fault("reboot", "tokyo-pg-1")
        self.assertEqual(self.percent_used(), {"100%"})
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "sudo -n du -a /var | sort -n | tail -1 >/dev/null; hostname").stdout, "tokyo-pg-1\n")
        self.fault("node-down", "tokyo-pg-1")
        self.fault("heal")
        self.assertEqual(self.percent_used(), {"1%"})

    def test_full_disk_can_leave_some_room_and_be_cleared_by_hand(self):
        self.fault("full-disk", "tokyo-pg-1", "20M")
        self.assertLessEqual(abs(int(self.sh("df -B1 --output=avail / | tail -1").stdout) - (20 << 20)), 1 << 20)
        self.assertEqual(self.sh("head -c 15000000 /dev/zero >/var/lib/some").returncode, 0)
        self.assertNotEqual(self.sh("head -c 15000000 /dev/zero >/var/lib/more").returncode, 0)
        self.sh("rm /var/lib/some /var/lib/more /var/tmp/filled-by-the-lab")
        self.assertEqual(self.percent_used(), {"1%"})
        self.fault("heal")

    def test_another_fault_heals_on_a_full_disk(self):
        self.fault("sudo-password", "tokyo-pg-1")
        self.fault("wrong-host-key", "tokyo-pg-1")
        self.fault("full-disk", "tokyo-pg-1")
        self.fault("heal", "sudo-password")
        self.fault("heal", "wrong-host-key")
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "sudo -n true; df --output=avail / | tail -1").stdout.strip(), "0")

    def test_wrong_host_key(self):
        self.fault("wrong-host-key", "tokyo-pg-1")
        done = lab(NAME, "ssh", "tokyo-pg-1", "true", check=False)
        self.assertEqual(done.returncode, 255)
        self.assertIn("Host key verification failed", done.stderr)
        self.fault("heal")
        lab(NAME, "ssh", "tokyo-pg-1", "true")

    def test_sudo_password(self):
        self.fault("sudo-password", "tokyo-pg-1")
        done = lab(NAME, "ssh", "tokyo-pg-1", "sudo -n true", check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "sudo: a password is required\n"))
        self.assertEqual(lab(NAME, "ssh", "tokyo-pg-1", "echo practice | sudo -S id -un").stdout, "root\n")
        self.fault("heal")
        lab(NAME, "ssh", "tokyo-pg-1", "sudo -n true")

    def test_hanging_sshd_accepts_and_says_nothing(self):
        address = self.address("tokyo-pg-1")
        self.fault("sshd-hang", "tokyo-pg-1")
        connects = subprocess.run(["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/22"], capture_output=True)
        self.assertEqual(connects.returncode, 0)
        self.assertFalse(operator_reaches(address))
        self.fault("reboot", "tokyo-pg-1")
        self.assertFalse(operator_reaches(address))
        self.fault("heal")
        until(lambda: operator_reaches(address), what="sshd to answer")

    def test_closed_port_refuses(self):
        address = self.address("tokyo-lb-1")
        self.fault("close-port", "tokyo-lb-1", "80")
        self.fault("close-port", "tokyo-lb-1", "81")
        refused = subprocess.run(["curl", "-s", f"http://{address}/"], capture_output=True).returncode
        self.assertEqual(refused, 7)
        self.assertEqual(len(self.active()), 2)
        self.fault("heal")
        self.assertEqual(subprocess.run(["curl", "-s", "-o", "/dev/null", f"http://{address}/"]).returncode, 0)

    def test_wrong_use_is_refused_and_changes_nothing(self):
        for argv in (["no-such"], ["node-down"], ["node-down", "nobody"], ["partition", "berlin"], ["cut-replication", "tokyo"],
                     ["close-port", "tokyo-lb-1", "http"], ["full-disk", "tokyo-pg-1", "much"], ["full-disk", "tokyo-pg-1", "/var"], ["heal", "no-such"]):
            with self.subTest(argv):
                done = self.fault(*argv, check=False)
                self.assertEqual(done.returncode, 1)
                self.assertTrue(done.stderr.startswith("lab: "), done.stderr)
                self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(self.active(), [])
