"""The tool on a terminal of its own, with somebody who reads, types, and presses Ctrl-C."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time

from support import end


class Terminal:
    def __init__(self, tool, *argv, columns=100, rows=40):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = tool.popen(*argv, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                  preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self._bytes = b""
        self._read = threading.Thread(target=self._follow, daemon=True)
        self._read.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        end(self.process)
        self._read.join(5)
        self.hang_up()

    def _follow(self):
        while True:
            try:
                if not select.select([self.master], [], [], 0.2)[0]:
                    continue
                data = os.read(self.master, 65536)
            except (OSError, TypeError, ValueError):         # one of the two sides is closed
                return
            if not data:
                return
            self._bytes += data

    @property
    def text(self):
        """All that was ever on the screen, in one flow and without colours."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._bytes.decode(errors="replace"))
        return re.sub(r"\s+", " ", text)

    def expect(self, part, timeout=180):
        deadline = time.monotonic() + timeout
        while part not in self.text:
            if self.process.poll() is not None and not self._read.is_alive():
                raise AssertionError(f"ended with {self.process.returncode} before it said {part!r}:\n{self.text[-3000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"did not say {part!r} within {timeout} s:\n{self.text[-3000:]}")
            time.sleep(0.05)

    def type(self, line):
        os.write(self.master, line.encode() + b"\n")

    def interrupt(self):
        """The key itself: the terminal makes SIGINT of it."""
        os.write(self.master, b"\x03")

    def hang_up(self):
        """The terminal goes away, as when a laptop sleeps: the tool gets SIGHUP, and nothing to read."""
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def exit(self, timeout=180):
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {timeout} s:\n{self.text[-3000:]}") from None
        self._read.join(5)
        return self.process.returncode
