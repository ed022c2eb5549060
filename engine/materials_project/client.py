"""Materials Project's API, asked through its own client: the only module that imports mp_api.

Whatever goes wrong becomes an `EngineError` of one sentence, within the time limit given: the client itself has
no limit while it starts, and waits 80 s for a server that is silent.
"""

import os
import queue
import re
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from engine.errors import EngineError, check
from engine.materials_project.documents import Dielectric, Summary, Task

if TYPE_CHECKING:
    from mp_api.client import MPRester

KEY_VARIABLE, ENDPOINT_VARIABLE = "MP_API_KEY", "MP_API_ENDPOINT"
ENDPOINT = "https://api.materialsproject.org/"
KEY_LENGTH = 32
KEY_PAGE = "https://next-gen.materialsproject.org/api"
HOW_TO_GET_A_KEY = f"A free key comes from {KEY_PAGE} after signing in there."
PATIENCE = 12.0  # s in all, for a person who waits
LONG_PATIENCE = 60.0  # s for each question of many
CONNECTING = 4.0  # s
MOST_AT_ONCE = 1000  # documents in one reply
AGENT = "dielectric-tensors"
_SUMMARY = ("material_id", "structure", "symmetry", "band_gap", "energy_above_hull", "theoretical")
_DIELECTRIC = ("material_id", "total", "electronic", "origins")
_TASK = ("task_id", "input", "output")
_EVERYTHING = (-1e9, 1e9)  # a search without a filter would not go to the API

Answer = TypeVar("Answer")


class Unavailable(EngineError):
    """The service may answer later; `seconds` says when to ask again."""

    def __init__(self, sentence: str, seconds: float = 5.0) -> None:
        super().__init__(sentence)
        self.seconds = seconds


def plain_id(text: str) -> str:
    """The usual form of a Materials Project ID: "mp-149" for " MP-149 " and for "mp-aaaaaaft".

    Raises:
        EngineError: this is no such ID.
    """
    from emmet.core.mpid import AlphaID

    try:
        check(re.fullmatch(r"(mp|mvc)-\w+", text.strip().lower()) is not None, "Ti-O is a chemical system")
        return str(AlphaID(text.strip().lower()).string)
    except (ValueError, TypeError) as error:
        raise EngineError(
            f"{text.strip()[:40]!r} is no Materials Project ID; one reads like mp-149 or mp-aaaaaaft"
        ) from error


def key_from_environment() -> str:
    """The key that whoever started the program gave it; empty where there is none."""
    return os.environ.get(KEY_VARIABLE, "").strip()


def warm_up() -> None:
    """Import the client in the background, which takes some seconds, so that no question has to wait for it."""
    threading.Thread(target=_client_class, daemon=True).start()


@cache
def _client_class() -> type["MPRester"]:
    from mp_api.client import MPRester

    return MPRester


class MaterialsProject:
    """An open connection; documents come as documents.py says, IDs in their usual form.

    Attributes:
        db_version: of the database.
    """

    def __init__(self, key: str, each: float | None = None) -> None:
        """Connect.

        Args:
            each: time limit of each question, s; without it connecting and all questions have `PATIENCE` in all.

        Raises:
            EngineError: a sentence that says why there is no connection.
        """
        key = key.strip()
        check(bool(key), f"Fetching from Materials Project needs an API key. {HOW_TO_GET_A_KEY}")
        check(
            len(key) == KEY_LENGTH and key.isascii() and key.isalnum(),
            f"An API key of Materials Project has {KEY_LENGTH} letters and digits, this one has {len(key)} "
            f"characters; copy it again from {KEY_PAGE}.",
        )
        endpoint = os.environ.get(ENDPOINT_VARIABLE) or ENDPOINT
        session = requests.Session()
        session.headers["user-agent"] = AGENT
        for scheme in ("http://", "https://"):
            session.mount(scheme, _Adapter(each or PATIENCE))

        def connect() -> "MPRester":
            # The client starts with this question too, but without a time limit.
            session.get(f"{endpoint.rstrip('/')}/heartbeat").json()
            return _client_class()(
                key, endpoint, session=session, use_document_model=False, mute_progress_bars=True
            )

        _client_class()  # a slow import is no silent service
        self._each, self._end = each, time.monotonic() + PATIENCE
        self._client = _asked(connect, PATIENCE)
        self.db_version = str(self._client.db_version)

    def ids_with_tensors(self) -> list[str]:
        """Every material that has a dielectric tensor."""
        search = self._client.materials.dielectric.search
        return list(self._found(lambda: search(e_electronic=_EVERYTHING, fields=["material_id"]), "material_id"))

    def summaries(self, ids: Sequence[str]) -> dict[str, Summary]:
        """Material ID -> structure, symmetry, band gap and stability; IDs that nobody knows are left out."""
        return self._by_id(self._client.materials.summary.search, ids, _SUMMARY)

    def dielectric(self, ids: Sequence[str]) -> dict[str, Dielectric]:
        """Material ID -> tensors in IEEE axes and their origin; materials without a tensor are left out."""
        return self._by_id(self._client.materials.dielectric.search, ids, _DIELECTRIC)

    def tasks(self, ids: Sequence[str]) -> dict[str, Task]:
        """Task ID -> input and output of the calculation; tasks that are not served are left out."""
        if not ids:
            return {}
        search = self._client.materials.tasks.search
        return self._found(lambda: search(task_ids=list(ids), fields=list(_TASK)), "task_id")

    def _by_id(
        self, search: Callable[..., list[Any]], ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Any]:
        if not ids:
            return {}
        check(len(ids) <= MOST_AT_ONCE, f"at most {MOST_AT_ONCE} IDs can be asked for at once, got {len(ids)}")
        return self._found(lambda: search(material_ids=list(ids), fields=list(fields)), "material_id")

    def _found(self, search: Callable[[], list[Any]], name: str) -> dict[str, Any]:
        """ID -> document of a search, the ID being the field `name`."""

        def question() -> dict[str, Any]:
            return {plain_id(document[name]): document for document in search()}

        return _asked(question, self._each or max(self._end - time.monotonic(), 0.0))


class _Adapter(HTTPAdapter):
    """Gives every request a time limit, and says at once when the service asks to wait."""

    def __init__(self, patience: float) -> None:
        self.limits = (CONNECTING, patience - 1)  # s to connect, and between bytes
        again = Retry(
            total=2,
            status_forcelist=(502, 503, 504),
            backoff_factor=0.2,
            raise_on_status=False,
            respect_retry_after_header=False,
        )
        super().__init__(max_retries=again)

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float | None, float | None] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxies: dict[str, str] | None = None,
    ) -> requests.Response:
        """The reply, within the limits whatever `timeout` is; raises `Unavailable` where it says to wait."""
        response = super().send(request, stream, self.limits, verify, cert, proxies)
        if response.status_code == 429:
            after = response.headers.get("Retry-After", "")
            seconds = float(after) if after.isdigit() else 10.0
            raise Unavailable(f"Materials Project asks to wait {seconds:.0f} s before the next question.", seconds)
        return response


def _asked(question: Callable[[], Answer], limit: float) -> Answer:
    """The answer to a question, or EngineError, within `limit` s."""
    box: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            box.put((question(), None))
        except Exception as error:  # whatever it is, it is raised below in the caller's thread
            box.put((None, error))

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer, error = box.get(timeout=limit)
    except queue.Empty:
        raise Unavailable(_SILENT) from None
    if error is not None:
        raise error if isinstance(error, EngineError) else _explained(error) from None
    return answer


_SILENT = "Materials Project did not answer in time; try again later, the local data stay at hand."


def _explained(error: Exception) -> EngineError:
    """What went wrong, for the person who asked; it quotes nothing of the request."""
    cause = error.__context__ if isinstance(error.__context__, requests.RequestException) else error
    status = re.search(r"status code (\d+)", str(error))
    code = int(status[1]) if status else 0
    if code in (401, 403):
        return EngineError(f"Materials Project does not accept this API key; copy it again from {KEY_PAGE}.")
    if code >= 500:
        return Unavailable(f"Materials Project has an error of its own ({code}); try again later.")
    if code or "does not support the request" in str(error):
        return EngineError("Materials Project refused the question; the service may have changed.")
    if isinstance(cause, requests.Timeout):
        return Unavailable(_SILENT)
    if isinstance(cause, requests.exceptions.InvalidJSONError) or "JSON" in type(cause).__name__:
        return Unavailable(
            "What answered in place of Materials Project does not speak its language, perhaps the login page of "
            "this network; the local data stay at hand."
        )
    if isinstance(cause, requests.RequestException | OSError):
        return Unavailable("Materials Project cannot be reached; is there a network? The local data stay at hand.")
    return EngineError("Materials Project sent an answer that this program does not understand.")
