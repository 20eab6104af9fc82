"""Worker processes that decode and score batches of files side by side, the results in the order of the batches.

Processes and not threads, since most of decoding a small image holds Python's lock. A worker is a process and one pipe;
the parent has no thread, so a fork of it is a full copy: ready at once, with the detector already open.
"""

import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import count, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from traceback import format_exc
from typing import Any, Literal

import numpy as np

from adscore.detector import Detector
from adscore.errors import ADError, WorkerError
from adscore.prediction import Scored
from adscore.signals import STOPS

StartMethod = Literal["fork", "spawn"]
Bundle = list[Sequence[str]]  # batches of paths
Answer = list[Scored] | Exception

# Bundles that a worker has been given and has not answered: one that it works on and one that waits.
_AHEAD = 2
# A worker that ends is started again, since one image may have brought it down. So many in a row that end before they
# have read any are no image's doing.
_MOST_STARTS = 10


def score_side_by_side(
    detector: Detector, batches: Iterator[Sequence[str]], workers: int, together: int, start: StartMethod
) -> Iterator[Scored]:
    """Yields what each batch of paths came to, in order.

    Args:
        detector: the opened detector.
        batches: paths of image files; at most `2 * workers * together` of them are read ahead.
        workers: processes.
        together: batches that travel in one message.
        start: how processes are started.

    Raises:
        WorkerError: workers end again and again.
        ModelError: the detector cannot run.
    """
    crew: list[_Worker] = []
    asked: deque[_Worker] = deque()
    with ExitStack() as stack:
        for number in count():
            if not (bundle := list(islice(batches, together))):
                break
            if number < workers:  # each only when there is something for it
                crew.append(_Worker(detector, start, crew))
                stack.callback(crew[-1].end)  # first, since a signal may end the run as soon as the process is there
                crew[-1].begin()
            if len(asked) == _AHEAD * workers:
                yield from asked.popleft().answer()
            worker = crew[number % workers]
            worker.ask(bundle)
            asked.append(worker)
        while asked:
            yield from asked.popleft().answer()


class _Worker:
    """One worker process, and the bundles of batches it has not answered yet."""

    _connection: Connection
    _process: Any = None  # of the start method's own class

    def __init__(self, detector: Detector, start: StartMethod, crew: Sequence["_Worker"]) -> None:
        self._detector = detector
        self._start = start
        self._crew = crew  # this one among them
        self._waiting: deque[Bundle] = deque()

    def begin(self) -> None:
        """Starts the process.

        Raises:
            WorkerError: it cannot be started.
        """
        # multiprocessing does it too; a full disk or a reader that is gone would look like a fault of the worker there.
        if sys.stdout is not None:
            sys.stdout.flush()
        context: Any = get_context(self._start)
        try:
            self._connection, theirs = context.Pipe()
            # A forked process has copies of the parent's ends of all pipes, and would keep the other workers waiting.
            inherited = [each._connection for each in self._crew] if self._start == "fork" else []  # noqa: SLF001
            self._process = context.Process(target=_work, args=(self._detector, theirs, inherited), daemon=True)
            with _signals_wait():
                self._process.start()
            theirs.close()
        except OSError as error:
            raise WorkerError(f"a worker cannot be started ({error.strerror}); try fewer --workers") from error

    def end(self) -> None:
        """Ends the process, if there is one; it holds nothing that could be lost."""
        if self._process is not None and self._process.pid is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()

    def ask(self, bundle: Bundle) -> None:
        """Gives the worker batches to score."""
        self._waiting.append(bundle)
        with suppress(OSError):  # it ended, as its answer will show
            self._connection.send(bundle)

    def answer(self) -> list[Scored]:
        """Returns what the batches of the first unanswered bundle came to."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            return self._rescue()
        self._waiting.popleft()
        return _raised(answer)

    def _rescue(self) -> list[Scored]:
        """Scores the first unanswered bundle file by file, so that one that ends the process becomes an error row."""
        bundle, *later = self._waiting
        self._restart()
        scored = [Scored.joined([self._alone(path) for path in batch]) for batch in bundle]
        self._waiting.clear()
        for after in later:
            self.ask(after)
        return scored

    def _alone(self, path: str) -> Scored:
        try:
            self._connection.send([[path]])
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._restart()
            return Scored.failed("reading it ended the process that read it")
        return _raised(answer)[0]

    def _restart(self) -> None:
        """Starts the process anew, until it has scored a blank picture; so what ends it then is what it reads."""
        for _ in range(_MOST_STARTS):
            self.end()
            self.begin()
            try:
                self._connection.send([])
                answer = self._connection.recv()
            except (EOFError, OSError):
                continue
            _raised(answer)
            return
        self.end()
        raise WorkerError(
            f"workers end again and again, the last with exit code {self._process.exitcode}, perhaps for lack of "
            "memory; try --low-memory, or --workers 1"
        )


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Holds signals back while a process starts, until it says what to do about them and its parent knows of it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(detector: Detector, connection: Connection, inherited: Sequence[Connection]) -> None:
    """Answers bundles until the parent is no more, or ends this process."""
    # Ctrl-C and the end of a terminal reach the whole group; the parent decides what becomes of the work.
    for number in STOPS - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    # The parent's handler came along with the fork; there is nothing to tidy up here.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    for each in inherited:
        each.close()
    # Parent and worker would wait for each other if both wrote to a full pipe; so this one can always read.
    answers: SimpleQueue[Answer] = SimpleQueue()
    Thread(target=_send, args=(answers, connection), daemon=True).start()
    largest = 0
    with suppress(EOFError, OSError):
        while True:
            bundle = connection.recv()
            largest = max([largest, *map(len, bundle)])
            try:
                answers.put(detector.score_batches(bundle, padded_to=largest) if bundle else _blank(detector))
            except Exception as fault:  # noqa: BLE001 - raised again by the parent
                answers.put(_that_travels(fault))


def _blank(detector: Detector) -> list[Scored]:
    """Shows that the detector can score here, and returns what nothing comes to."""
    detector.score(np.zeros((1, *detector.spec.image.shape), np.uint8))
    return []


def _send(answers: SimpleQueue[Answer], connection: Connection) -> None:
    try:
        while True:
            connection.send(answers.get())
    finally:
        os._exit(1)  # without it the parent would wait for an answer that cannot be sent


def _that_travels(fault: Exception) -> Exception:
    """Returns a fault that reaches the parent, with the traceback of an unknown one, which does not."""
    if not isinstance(fault, ADError):
        fault.add_note("in a worker:\n" + format_exc())
    try:
        pickle.loads(pickle.dumps(fault))  # noqa: S301 - written in the same line
    except Exception:  # noqa: BLE001 - whatever its class does when it is copied
        return WorkerError(f"a worker failed ({type(fault).__name__}: {fault}); try --workers 1")
    return fault


def _raised(answer: Answer) -> list[Scored]:
    if isinstance(answer, Exception):
        raise answer
    return answer
