"""The process that reads untrusted files, kept from one to the next: its imports take longer than most files."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from engine.crystals import reader_process
from engine.crystals.reader_process import Answer
from engine.files import ROOT

AT_ONCE = 4  # so that many uploads at once stay within the machine's memory
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "PYTHONPATH")  # no keys: a reader needs none
_turns = threading.BoundedSemaphore(AT_ONCE)
_idle: list["_Reader"] = []  # at most one; append and pop are atomic
os.register_at_fork(after_in_child=_idle.clear)  # two processes must not speak to one reader


class ReaderStopped(Exception):
    """The process ended before it answered."""


def ask(kind: str, text: str, seconds: float, most_atoms: str = "") -> Answer:
    """What `reader_process.answer` says of a text of that kind, in a fork of a process of its own.

    Args:
        seconds: after which process and fork are killed.
        most_atoms: see `refusal.most_atoms`.

    Raises:
        TimeoutError: they were killed.
        ReaderStopped: the answer took too much memory or time of a processor.
    """
    (found,) = ask_each([(kind, text)], seconds, most_atoms)
    if isinstance(found, (TimeoutError, ReaderStopped)):
        raise found
    return found


def ask_each(
    texts: Sequence[tuple[str, str]], seconds: float, most_atoms: str = ""
) -> list[Answer | TimeoutError | ReaderStopped]:
    """`ask` for many (kind, text), in order, many times as fast: a fork reads on until a text is its end.

    `seconds` are for each text. What `ask` raises stands in the place of the answer.
    """
    found: list[Answer | TimeoutError | ReaderStopped] = []
    while len(found) < len(texts):
        left = texts[len(found) :]
        try:
            with _turns, _reader() as reader:
                with _killed_after(seconds, reader):
                    reader.send(left, most_atoms)
                for _ in left:
                    with _killed_after(seconds, reader):
                        found.append(reader.answer())
        except (TimeoutError, ReaderStopped) as stopped:
            found.append(stopped)
    return found


class _Reader:
    """One process, which ends when this one does."""

    def __init__(self) -> None:
        self.script = reader_process.__file__
        environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
        folders = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(folders)
        self._process = subprocess.Popen(
            [sys.executable, "-P", self.script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )

    def send(self, texts: Sequence[tuple[str, str]], most_atoms: str) -> None:
        """Have one fork read these (kind, text); raises ReaderStopped where the process has ended."""
        stream = self._process.stdin
        if not stream:
            raise ReaderStopped
        try:
            for number, (kind, text) in enumerate(texts, start=1):
                content = text.encode()
                request = {"kind": kind, "bytes": len(content), "most_atoms": most_atoms}
                request["more"] = number < len(texts)
                stream.write(json.dumps(request).encode() + b"\n" + content)
            stream.flush()
        except BrokenPipeError as error:
            raise ReaderStopped from error

    def answer(self) -> Answer | ReaderStopped:
        """The next text's, or that it was its fork's end; raises ReaderStopped where the process has ended."""
        line = self._process.stdout.readline() if self._process.stdout else b""
        if not line:
            raise ReaderStopped
        if not line.strip():
            return ReaderStopped()
        answer: Answer = json.loads(line)
        return answer

    def lives(self) -> bool:
        """Whether it can be asked again."""
        return self.script == reader_process.__file__ and self._process.poll() is None

    def kill(self) -> None:
        """End it and its fork; whoever waits for an answer gets none."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it for good."""
        self.kill()
        with suppress(BrokenPipeError):  # of what was not read
            self._process.communicate()


@contextmanager
def _reader() -> Iterator[_Reader]:
    """One that is idle, or a new one; afterwards it is kept, unless something went wrong."""
    reader = _idle.pop() if _idle else _Reader()
    if not reader.lives():
        reader.close()
        reader = _Reader()
    try:
        yield reader
    except BaseException:
        reader.close()
        raise
    if _idle:
        reader.close()
    else:
        _idle.append(reader)


@contextmanager
def _killed_after(seconds: float, reader: _Reader) -> Iterator[None]:
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        reader.kill()

    timer = threading.Timer(seconds, expire)
    timer.start()
    try:
        yield
    except ReaderStopped as stopped:
        if expired.is_set():
            raise TimeoutError from stopped
        raise
    finally:
        timer.cancel()
