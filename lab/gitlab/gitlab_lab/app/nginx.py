"""nginx: passes connections on to workhorse, and says 502 when it is not there."""

import asyncio

from gitlab_lab.app.signals import NUMBERS, guarded

WORKHORSE = ("127.0.0.1", 8181)
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1>nginx</body></html>\n"


async def _copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        try:
            writer.write_eof()
        except (OSError, RuntimeError):
            pass


async def _relay(reader, writer):
    try:
        upstream_reader, upstream_writer = await asyncio.open_connection(*WORKHORSE)
    except OSError:
        # The request is read first: closing with unread data would reset the connection.
        try:
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nServer: nginx\r\nContent-Type: text/html\r\nConnection: close\r\n"
                         b"Content-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE))
            await writer.drain()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        writer.close()
        return
    upload = asyncio.create_task(_copy(reader, upstream_writer))
    await _copy(upstream_reader, writer)
    upload.cancel()
    for side in (writer, upstream_writer):
        side.close()


async def _serve():
    server = await asyncio.start_server(_relay, "0.0.0.0", 80, backlog=256)
    stop = asyncio.Event()
    for number in NUMBERS:
        asyncio.get_running_loop().add_signal_handler(number, guarded("nginx", stop.set))
    print("listening on port 80", flush=True)
    await stop.wait()
    server.close()


def run():
    asyncio.run(_serve())
