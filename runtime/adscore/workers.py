"""Worker processes that decode and score batches of files side by side, the results in the order of the batches.

Processes and not threads, since most of decoding a small image holds Python's lock. A worker is a process and one pipe;
the parent has no thread, so a fork of it is a full copy: ready at once, with the detector already open.
"""

import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Literal, Self

from adscore.detector import Detector
from adscore.errors import WorkerError
from adscore.prediction import Scored

StartMethod = Literal["fork", "spawn"]

# Batches that a worker has been given and has not answered: one that it works on and one that waits.
_AHEAD = 2
# A worker that ends is started again, since one image may have brought it down; so many are no single image's doing.
_MOST_DEATHS = 10


def score_side_by_side(
    detector: Detector, batches: Iterator[Sequence[str]], workers: int, start: StartMethod
) -> Iterator[Scored]:
    """Yields what each batch of paths came to, in order; reads at most `2 * workers` batches ahead.

    Raises:
        WorkerError: workers end again and again.
        ModelError: the detector cannot run.
    """
    with ExitStack() as stack:
        crew = [stack.enter_context(_Worker(detector, start)) for _ in range(workers)]
        asked: deque[_Worker] = deque()
        for number, batch in enumerate(batches):
            if len(asked) == _AHEAD * workers:
                yield asked.popleft().answer()
            worker = crew[number % workers]
            worker.ask(batch)
            asked.append(worker)
        while asked:
            yield asked.popleft().answer()


class _Worker:
    """One worker process, and the batches it has not answered yet."""

    def __init__(self, detector: Detector, start: StartMethod) -> None:
        self._detector = detector
        self._context: Any = get_context(start)
        self._waiting: deque[Sequence[str]] = deque()
        self._deaths = 0
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if fault is None:
            with suppress(OSError):
                self._connection.send(None)
        else:
            self._process.kill()  # it holds nothing that could be lost
        self._process.join()
        self._connection.close()

    def ask(self, batch: Sequence[str]) -> None:
        """Gives the worker a batch to score."""
        self._waiting.append(batch)
        with suppress(OSError):  # it ended, as its answer will show
            self._connection.send(batch)

    def answer(self) -> Scored:
        """Returns what the first unanswered batch came to."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            return self._rescue()
        self._waiting.popleft()
        if isinstance(answer, Exception):
            raise answer
        scored: Scored = answer
        return scored

    def _rescue(self) -> Scored:
        """Scores the first unanswered batch file by file, so that one that ends the process becomes an error row."""
        batch, *later = self._waiting
        self._restart()
        scored = Scored.joined([self._alone(path) for path in batch])
        self._waiting.clear()
        for after in later:
            self.ask(after)
        return scored

    def _alone(self, path: str) -> Scored:
        try:
            self._connection.send([path])
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._restart()
            return Scored.failed("reading it ended the process that read it")
        if isinstance(answer, Exception):
            raise answer
        scored: Scored = answer
        return scored

    def _restart(self) -> None:
        self._connection.close()
        self._process.join()
        self._deaths += 1
        if self._deaths > _MOST_DEATHS:
            raise WorkerError(
                f"workers end again and again, the last with exit code {self._process.exitcode}, perhaps for lack of "
                "memory; try --low-memory, or --workers 1"
            )
        self._begin()

    def _begin(self) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_work, args=(self._detector, theirs, self._connection), daemon=True
        )
        self._process.start()
        theirs.close()


def _work(detector: Detector, connection: Connection, parents: Connection) -> None:
    """Answers batches until the parent says that there are no more, or is no more itself."""
    parents.close()
    # Ctrl-C and a service manager's stop reach the whole group; the parent decides what becomes of the work.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Parent and worker would wait for each other if both wrote to a full pipe; so this one can always read.
    answers: SimpleQueue[Scored | Exception] = SimpleQueue()
    Thread(target=_send, args=(answers, connection), daemon=True).start()
    largest = 0
    with suppress(EOFError, OSError):
        while (batch := connection.recv()) is not None:
            largest = largest or len(batch)
            try:
                answers.put(detector.score_files(batch, padded_to=largest))
            except Exception as fault:  # noqa: BLE001 - raised again by the parent
                answers.put(fault)


def _send(answers: "SimpleQueue[Scored | Exception]", connection: Connection) -> None:
    with suppress(OSError):
        while True:
            connection.send(answers.get())
