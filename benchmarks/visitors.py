"""Many visitors at once: what each waits, what goes wrong, and whether the server grows.

python -m benchmarks.visitors [--visitors N] [--minutes M]

A real server on loopback, and visitors who speak Streamlit's protocol as a browser does: each opens a page, looks
materials up, opens other pages or brings a file, and reads for a while in between. A training and a screening run
meanwhile. Then visits without a pause tell how much memory each leaves behind.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
import psutil
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.measure import report
from engine import Run, TrainConfig
from engine.data.catalogue import identities
from engine.runs.job import LIVE
from engine.runs.screening_run import Screening
from engine.screening.parts import Settings
from tests.browser.server import running_app

THINKING = (4.0, 16.0)  # s between two things that a visitor does
ASKING = 0.5  # s between two looks at work that is not done
PATIENCE = 120.0  # s for an answer
PAGES = ("explore", "compare", "model", "theory", "train", "screen")
WORK = ("upload, the tensor is there",)  # waited for with a bar, not by a page
KNOWN = sorted(identities())
OFTEN = KNOWN[::60]  # materials that many ask for
VISITS = 500
MIB = 1024**2
ERROR_BOX = 1  # Alert.Format.ERROR


@dataclass
class Watch:
    """Seconds by what was done, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)


class Visitor:
    """One visit: a session of the server, from opening an address to closing the page."""

    def __init__(self, http: aiohttp.ClientSession, address: str, watch: Watch) -> None:
        self.http, self.address, self.watch = http, address, watch
        self.session = self.token = ""
        self.fields: dict[str, str] = {}  # name -> ID of a widget
        self.following = ""  # the part of the page that asks by itself whether work is done

    async def open(self, page: str = "", what: str = "first page") -> None:
        """Open an address as a new visitor."""
        async with self.http.get(f"{self.address}/_stcore/health") as reply:
            self.token = reply.cookies["_streamlit_xsrf"].value if "_streamlit_xsrf" in reply.cookies else ""
        url = f"{self.address.replace('http', 'ws')}/_stcore/stream"
        self.socket = await self.http.ws_connect(url, protocols=("streamlit",), max_msg_size=0)
        await self.run(what, page)

    async def run(self, what: str, page: str = "", **values: str) -> None:
        """Have the page's script run once, with these words in its fields, and wait for its end."""
        asked = BackMsg()
        asked.rerun_script.page_name = page
        for label, value in values.items():
            state = asked.rerun_script.widget_states.widgets.add()
            state.id, state.string_value = self.fields[label], value
        await self._timed(what, asked)

    async def bring(self, name: str, content: bytes) -> None:
        """Upload a file to the Predict page and wait for its tensor."""
        asked = BackMsg()
        request = asked.file_urls_request
        request.request_id, request.session_id = "one", self.session
        request.file_names.append(name)
        await self.socket.send_bytes(asked.SerializeToString())
        urls = (await self._next("file_urls_response")).file_urls_response.file_urls[0]
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name)
        headers = {"X-Xsrftoken": self.token}
        async with self.http.put(f"{self.address}{urls.upload_url}", data=form, headers=headers) as reply:
            if reply.status >= 300:
                self.watch.errors.append(f"upload: {reply.status}")
                return
        rerun = BackMsg()
        rerun.rerun_script.page_name = "predict"
        state = rerun.rerun_script.widget_states.widgets.add()
        state.id = self.fields["files"]
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(content), urls.file_id
        info.file_urls.CopyFrom(urls)
        started = time.perf_counter()
        await self._timed("upload, the page answers", rerun)
        while self.following:
            await asyncio.sleep(ASKING)
            rerun.rerun_script.fragment_id, rerun.rerun_script.is_auto_rerun = self.following, True
            await self._timed("a bar", rerun)
        self.watch.seconds["upload, the tensor is there"].append(time.perf_counter() - started)

    async def close(self) -> None:
        """Leave."""
        await self.socket.close()

    async def _timed(self, what: str, asked: BackMsg) -> None:
        started = time.perf_counter()
        await self.socket.send_bytes(asked.SerializeToString())
        ended = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
        while (await self._next("script_finished")).script_finished not in ended:
            self.following = ""  # the page is drawn anew, and says what is to be followed
        self.watch.seconds[what].append(time.perf_counter() - started)

    async def _next(self, kind: str) -> ForwardMsg:
        while True:
            reply = await self.socket.receive(PATIENCE)
            if reply.type is not aiohttp.WSMsgType.BINARY:
                raise ConnectionError(f"the server closed the connection ({reply.type.name})")
            message = ForwardMsg.FromString(reply.data)
            if message.HasField("new_session"):
                self.session = message.new_session.initialize.session_id
            if message.HasField("auto_rerun"):
                self.following = message.auto_rerun.fragment_id
            if message.HasField("delta"):
                self._look(message.delta.new_element)
            if message.HasField(kind):
                return message

    def _look(self, element: object) -> None:
        kind = element.WhichOneof("type")
        if kind == "text_input":
            self.fields.setdefault("query", element.text_input.id)
        elif kind == "file_uploader":
            self.fields["files"] = element.file_uploader.id
        elif kind == "exception":
            self.watch.errors.append(f"exception: {element.exception.message}")
        elif kind == "alert" and element.alert.format == ERROR_BOX:
            self.watch.errors.append(f"error box: {element.alert.body}")


async def visits(address: str, watch: Watch, until: float, seed: int) -> None:
    """One person after another, until the time is over."""
    rng = random.Random(seed)  # noqa: S311
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        while time.monotonic() < until:
            await asyncio.sleep(rng.uniform(*THINKING))
            try:
                await one_visit(Visitor(http, address, watch), rng)
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                watch.errors.append(repr(error))


async def one_visit(visitor: Visitor, rng: random.Random) -> None:
    """A visit with three look-ups, or with a file, or to another page."""
    kind = rng.choices(("look-up", "upload", "page"), (6, 2, 2))[0]
    if kind == "page":
        page = rng.choice(PAGES)
        await visitor.open(page, f"page {page}")
    elif kind == "upload":
        await visitor.open("predict", "page predict")
        await visitor.bring("salt.vasp", salt(rng))
    else:
        await visitor.open()
        await visitor.run("look-up, any", query=rng.choice(KNOWN))
        for _ in range(2):
            await asyncio.sleep(rng.uniform(*THINKING))
            await visitor.run("look-up, often asked for", query=rng.choice(OFTEN))
    await visitor.close()


def salt(rng: random.Random) -> bytes:
    """Two atoms that nobody has asked for yet."""
    pair, bond = rng.choice(((("Mg", "O"), 2.11), (("Na", "Cl"), 2.82), (("Ca", "S"), 2.85), (("K", "Br"), 3.3)))
    cell = rng.uniform(0.98, 1.06) * bond * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
    return Poscar(Structure(cell, pair, [[0, 0, 0], [0.5, 0.5, 0.5]])).get_str().encode()


async def many(address: str, watch: Watch, count: int, minutes: float) -> None:
    """So many visitors at once, for so long."""
    until = time.monotonic() + 60 * minutes
    await asyncio.gather(*(visits(address, watch, until, seed) for seed in range(count)))


async def in_turn(address: str, watch: Watch, count: int, server: psutil.Process) -> list[float]:
    """Visits one after another; the server's memory before the first and after each fifth of them, MiB."""
    rng, used = random.Random(99), [memory(server)]  # noqa: S311
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        for number in range(count):
            visitor = Visitor(http, address, watch)
            await visitor.open(what="alone, first page")
            await visitor.run("alone, look-up", query=rng.choice(OFTEN))
            await visitor.close()
            if (number + 1) % (count // 5) == 0:
                used.append(memory(server))
    return used


def memory(server: psutil.Process) -> float:
    """Resident, MiB."""
    return server.memory_info().rss / MIB


def main() -> None:
    """Measure all, print one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visitors", type=int, default=20)
    options.add_argument("--minutes", type=float, default=10)
    asked = options.parse_args()
    watch, alone = Watch(), Watch()
    with tempfile.TemporaryDirectory() as name, running_app(Path(name)) as address:
        port = address.rpartition(":")[2]
        server = next(one for one in psutil.Process().children() if port in one.cmdline())
        asyncio.run(many(address, Watch(), 2, 0.5))  # what is loaded once
        jobs = start_jobs(Path(name))
        before = memory(server)
        asyncio.run(many(address, watch, asked.visitors, asked.minutes))
        after, states = memory(server), [job.state() for job in jobs]
        for job in jobs:
            if job.state() in LIVE:
                job.stop()
        asyncio.run(in_turn(address, alone, 50, server))
        used = asyncio.run(in_turn(address, alone, VISITS, server))
    rows: list[tuple] = []
    for what, seconds in sorted((watch.seconds | alone.seconds).items()):
        cuts = statistics.quantiles(seconds, n=20) if len(seconds) > 1 else seconds * 19
        rows.append((what, len(seconds), 1000 * statistics.median(seconds), 1000 * cuts[18], 1000 * max(seconds)))
    everything = [one for what, seconds in watch.seconds.items() if what not in WORK for one in seconds]
    cuts = statistics.quantiles(everything, n=20)
    rows.append(("every run of a page", len(everything), 1000 * cuts[9], 1000 * cuts[18], 1000 * max(everything)))
    errors = watch.errors + alone.errors
    print(*errors[:10], sep="\n")
    report(
        "visitors", ("what", "times", "median, ms", "p95, ms", "longest, ms"), rows, visitors=asked.visitors,
        minutes=asked.minutes, errors=len(errors), training=states[0], screening=states[1],
        memory_before_mib=round(before), memory_after_mib=round(after),
        growth_over_500_visits_mib=round(used[-1] - used[0], 1), memory_by_fifth_mib=[round(one) for one in used],
    )  # fmt: skip


def start_jobs(runs: Path) -> tuple[Run, Screening]:
    """A training and a screening in the server's folder, as its pages start them."""
    os.environ["DIELECTRIC_RUNS"] = str(runs)
    training = TrainConfig.for_backbone("scratch", epochs=2000)
    settings = Settings(model="e3nn-scratch", targets=("electronic",))
    run = Run.start(training, "petousis-2017")
    screening = Screening.of_set("matbench-dielectric", settings, workers=1)
    screening.begin()
    return run, screening


if __name__ == "__main__":
    main()
