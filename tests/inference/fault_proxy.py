"""Real HTTP servers for tests of API engines: one that answers like a provider, one before it that spoils answers.

`FaultProxy` decides by a seed and the request itself, so that threads change nothing: the same request meets the same
faults in the same order in every run.
"""

import contextlib
import hashlib
import http.client
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Server:
    """An HTTP server on a free port of this machine; `answer` of a subclass replies to each request."""

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with contextlib.suppress(OSError):  # the client is gone
                    outer.answer(self, body)
                    self.wfile.flush()

            def reply(self, status, body, headers=(), n_sent=None):
                self.send_response_only(status)
                for name, value in {"Content-Type": "application/json", **dict(headers)}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[:n_sent])
                self.wfile.flush()

            def log_message(self, *_):
                pass

        class Threads(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):
                pass  # connections that clients cut are part of these tests

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def answer(self, handler, body):
        raise NotImplementedError


class Provider(Server):
    """Answers every chat completion with the words of its last message backwards; a token is a word.

    Args:
        script: called with the request's fields and how often it came; gives None for the usual answer, a dict of
            changes to the usual body, or (status, headers, body).
        delay_s: of each answer.
        prices: USD per million (prompt, completion) tokens; the answer then has `usage.cost`.
    """

    def __init__(self, script=lambda fields, count: None, delay_s=0.0, prices=None):
        self.script, self.delay_s, self.prices = script, delay_s, prices
        self.lock, self.counts = threading.Lock(), Counter()
        self.requests, self.headers, self.times = [], [], []
        self.n_now = self.most_at_once = 0

    def answer(self, handler, body):
        fields = json.loads(body)
        with self.lock:
            self.requests.append(fields)
            self.headers.append({name.lower(): value for name, value in handler.headers.items()})
            self.times.append(time.monotonic())
            self.counts[body] += 1
            count = self.counts[body]
            self.n_now += 1
            self.most_at_once = max(self.most_at_once, self.n_now)
        time.sleep(self.delay_s)
        said = self.script(fields, count)
        with self.lock:
            self.n_now -= 1
        if isinstance(said, tuple):
            status, headers, content = said
            handler.reply(status, content if isinstance(content, bytes) else json.dumps(content).encode(), headers)
        else:
            handler.reply(200, json.dumps({**self.completion(fields), **(said or {})}).encode())

    def completion(self, fields):
        words = str(fields["messages"][-1]["content"]).split()
        n_tokens = min(len(words), fields.get("max_tokens", 1 << 30))
        usage = {"prompt_tokens": len(words), "completion_tokens": n_tokens}
        if self.prices:
            usage["cost"] = (len(words) * self.prices[0] + n_tokens * self.prices[1]) / 1e6
        message = {"role": "assistant", "content": " ".join(words[::-1][:n_tokens])}
        choice = {"index": 0, "message": message, "finish_reason": "stop" if n_tokens == len(words) else "length"}
        return {"id": "chatcmpl-1", "model": fields["model"] + "-2026", "choices": [choice], "usage": usage}


@dataclass
class Entry:
    """What happened to one distinct request body."""

    n_arrived: int = 0
    n_delivered: int = 0  # complete good answers
    n_after_delivery: int = 0  # arrivals that should not have been
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class FaultProxy(Server):
    """Hands requests on to an API and spoils some answers.

    Args:
        upstream_url: base URL of the API, http.
        rates: kind of fault -> probability; see `FAULTS`.
        prices: USD per million (prompt, completion) tokens, for answers without `usage.cost`.
        hold_s: how long a fault "timeout" holds the connection.

    Attributes:
        ledger: digest of the request body -> `Entry`.
        n_injected: kind -> how often.
    """

    FAULTS = ("429", "500", "503", "reset", "timeout", "truncated", "malformed", "empty")

    def __init__(self, upstream_url, *, seed=0, rates=None, prices=(0.0, 0.0), hold_s=2.0):
        assert set(rates or {}) <= set(self.FAULTS), rates
        self.upstream, self.seed, self.rates, self.prices = urlsplit(upstream_url), seed, rates or {}, prices
        self.hold_s, self.lock = hold_s, threading.Lock()
        self.ledger, self.n_injected = {}, Counter()

    def answer(self, handler, body):
        digest = hashlib.sha256(body).hexdigest()
        with self.lock:
            entry = self.ledger.setdefault(digest, Entry())
            entry.n_arrived += 1
            entry.n_after_delivery += entry.n_delivered > 0
            chance = random.Random(f"{self.seed} {digest} {entry.n_arrived}")
            kind = next(iter(chance.choices([*self.rates, ""], [*self.rates.values(), 1 - sum(self.rates.values())])))
            self.n_injected[kind] += bool(kind)
        if kind:
            self.spoil(kind, handler, body, chance)
            return
        status, content = self.forward(handler, body)
        if status == 200:  # noted before it is written: a client may act on it before this thread goes on
            with self.lock:
                self.deliver(entry, json.loads(content)["usage"])
        handler.reply(status, content)

    def deliver(self, entry, usage):
        entry.n_delivered += 1
        entry.prompt_tokens += usage["prompt_tokens"]
        entry.completion_tokens += usage["completion_tokens"]
        by_price = usage["prompt_tokens"] * self.prices[0] + usage["completion_tokens"] * self.prices[1]
        entry.cost_usd += usage.get("cost", by_price / 1e6)

    def spoil(self, kind, handler, body, chance):
        if kind in ("429", "500", "503"):
            pause = {"Retry-After": chance.choice(["0", "0.05", "0.1"])} if chance.random() < 0.5 else {}
            message = {"error": {"message": f"injected {kind}", "type": "injected"}}
            handler.reply(int(kind), json.dumps(message).encode(), pause if kind != "500" else {})
        elif kind == "malformed":
            handler.reply(200, b'{"id": "chatcmpl-1", "choices": [{"message": {"content": "hal')
        elif kind == "empty":
            handler.reply(200, b'{"id": "chatcmpl-1", "choices": []}')
        else:
            handler.close_connection = True
            if kind == "reset":
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
            elif kind == "timeout":
                time.sleep(self.hold_s)
            else:
                status, content = self.forward(handler, body)
                handler.reply(status, content, n_sent=len(content) // 2)

    def forward(self, handler, body):
        headers = {name: handler.headers[name] for name in ("Content-Type", "Authorization") if handler.headers[name]}
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port)
        with contextlib.closing(connection):
            connection.request("POST", self.upstream.path + handler.path.removeprefix("/v1"), body, headers)
            response = connection.getresponse()
            return response.status, response.read()
