"""Results on their way from a worker to the launcher, piece by piece.

A worker puts the pieces of a finished pack into Ray's object store, on its own node.
Ray's process next to the launcher takes them from there, one pack at a time and one
piece at a time, and forwards each to the launcher through a pipe. A launcher that is
slow to save leaves the pipe full, and Ray's process waits: so the launcher has one pack
in memory, Ray's process one piece, and each worker keeps the one pack it has finished.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

from spiral.errors import CorruptPack, StoreError
from spiral.sweep.work import Outcome, Report, Training, Work, tried

PIECE_BYTES = 8 * 2**20
"""Size of a piece: a wide pack of tens of MB never needs more than this at once in the
object store of the launcher's node, and one takes less than 0.1 s on the network."""


class Piece(NamedTuple):
    """A part of the results of a pack."""

    number: int
    """From 0: a pack begins there, also one that is sent again."""
    data: bytes


Message = Outcome | Training | Piece
"""What Ray's process tells the launcher; an outcome follows the pieces of its pack."""

Send = Callable[[Message], None]
"""Gives a message to the launcher; takes as long as the launcher is busy."""


def pieces(data: bytes) -> Iterator[bytes]:
    """Cut results into pieces; at least one."""
    for start in range(0, max(1, len(data)), PIECE_BYTES):
        yield data[start : start + PIECE_BYTES]


class Trial:
    """A pack at a worker, in steps: in training, results to be fetched, over.

    Tune calls for the next step once it has dealt with the one before. So a worker
    stays until its results are fetched, and its progress reaches the launcher without
    a further channel.
    """

    def __init__(self, work: Work, put: Callable[[bytes], Any], seconds: float):
        """Prepare for packs.

        Args:
            work: What a pack is.
            put: Returns a reference to an object that it stores.
            seconds: Time between two steps of a pack in training.
        """
        self.work, self.put, self.seconds = work, put, seconds
        self.thread = ThreadPoolExecutor(1)
        self.outcome: Future[Outcome] | None = None
        self.fetched: dict[str, Any] = {}
        self.share = 0.0

    def begin(self) -> None:
        """Expect a new pack, whatever became of the one before."""
        self.outcome, self.fetched, self.share = None, {}, 0.0

    def step(self, pack: str) -> dict[str, Any]:
        """Do the next step of a pack; return what it brought."""
        if self.fetched:
            return {"done": True}
        if self.outcome is None:
            do = partial(self.work.do, pack, self.tell)
            self.outcome = self.thread.submit(tried, do, pack)
        if wait([self.outcome], self.seconds).not_done:
            return {"training": Training(pack, self.share)}
        outcome = self.outcome.result()
        # References are kept until the next step: by then the pieces are fetched
        self.fetched = {
            "outcome": replace(outcome, data=b""),
            "pieces": [self.put(piece) for piece in pieces(outcome.data)],
        }
        return dict(self.fetched)

    def tell(self, share: float) -> None:
        """Note the share of the pack that is done."""
        self.share = share


class Sender:
    """Sends, from Ray's process, what trials bring; each outcome once."""

    def __init__(self, send: Send, get: Callable[[Any], bytes | None]):
        """Prepare for trials.

        Args:
            send: Gives a message to the launcher.
            get: Returns the object of a reference; None if it is lost.
        """
        self.send, self.get = send, get
        self.sent: set[str] = set()

    def stepped(self, result: dict[str, Any]) -> None:
        """Send the progress or the results of a step, while its worker waits."""
        references = result.pop("pieces", [])  # Tune keeps last results: not these
        if "training" in result:
            self.send(result["training"])
        elif "outcome" in result and result["outcome"].pack not in self.sent:
            self.fetch(result["outcome"], references)

    def fetch(self, outcome: Outcome, references: list[Any]) -> None:
        """Send results; do nothing if they are lost, as Tune repeats dead workers'."""
        for number in range(len(references)):
            data = self.get(references[number])
            if data is None:
                return
            references[number] = None  # so that Ray frees it
            self.send(Piece(number, data))
        self.close(outcome)

    def ended(self, pack: str, error: str | None = None) -> None:
        """Send the outcome of a pack if it is not sent yet.

        Args:
            pack: The pack.
            error: None if its worker ended well: if its results are lost all the same,
                empty ones are sent, which the launcher refuses.
        """
        if pack not in self.sent:
            self.send(Piece(0, b""))
            self.close(Outcome(pack, error=error))

    def close(self, outcome: Outcome) -> None:
        """Send the outcome of a pack, after its results."""
        self.sent.add(outcome.pack)
        self.send(outcome)


@dataclass
class Receiver:
    """Saves, on the launcher's side, what Ray's process sends; call it with that."""

    work: Work
    report: Report
    pieces: list[bytes] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Pack → what was wrong with its results; it must be done again."""

    def __call__(self, message: Message) -> None:
        """Take a message."""
        if isinstance(message, Piece):
            if message.number == 0:
                self.pieces.clear()
            self.pieces.append(message.data)
        elif isinstance(message, Training):
            self.report(message)
        else:
            self.save(message)

    def save(self, outcome: Outcome) -> None:
        """Save the results of a pack, and report its outcome."""
        outcome = replace(outcome, data=b"".join(self.pieces))
        self.pieces.clear()
        try:
            if outcome.error is None:
                self.work.save(outcome)
        except CorruptPack as error:
            self.refused[outcome.pack] = str(error)
            return
        except StoreError as error:
            outcome = Outcome(outcome.pack, error=str(error))
        self.report(replace(outcome, data=b""))
