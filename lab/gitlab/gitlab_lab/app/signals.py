"""TERM and INT end a service, unless the fault `hung-service` says that it ignores them."""

import signal

from gitlab_lab import faults

NUMBERS = (signal.SIGTERM, signal.SIGINT)


def guarded(service, stop):
    def handle(*_):
        if service not in faults.arguments("hung-service"):
            stop()
    return handle


def on_term(service, stop):
    for number in NUMBERS:
        signal.signal(number, guarded(service, stop))
