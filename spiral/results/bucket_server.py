"""Connections to the servers of buckets, and what is said when one fails.

The library obstore finds credentials where it always does, in the environment or by the
machine's role, and repeats requests that fail. What it says of an error may quote a
signed request, so it is never shown: messages are made of what is known to be harmless.
"""

import errno
import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from spiral import extras
from spiral.errors import StoreError

T = TypeVar("T")

RETRIES = 12
"""How often a request is repeated, after random pauses that grow from 0.1 s to 15 s:
about half a minute in all."""
SECONDS = 180
"""After so long a request is not repeated any more."""
TIMEOUT = 60
"""Seconds after which an answer that is not complete counts as none: a pack of tens of
megabytes takes as long on a slow line."""
CONNECT = 5
"""Seconds after which a server that does not answer at all counts as absent."""

SIGN_IN = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (also AWS_REGION, and "
    "AWS_ENDPOINT_URL of another server than Amazon's), or give the machine a role",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or give the machine an account",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or give the "
    "machine an identity",
}
"""Scheme → the usual ways of obstore to get credentials."""

AGAIN = "what is finished is safe: run the same command again to continue"
STATUS = re.compile(r"status code: (\d{3})")
UNSIGNED = ("169.254.169.254", "token request", "credentials")
"""In errors of a search for credentials that found none."""


def obstore() -> Any:
    """Return the library, imported where it is needed.

    Raises:
        MissingPackage: It is not installed.
    """
    extras.require("obstore", "a results directory in a bucket")
    import obstore

    return obstore


@cache
def connected(scheme: str, bucket: str) -> Any:
    """Return the connection to a bucket, one for each process.

    Args:
        scheme: One of ``SIGN_IN``.
        bucket: Its name.
    """
    obstore()
    from obstore import store

    pauses = {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(0, 15)}
    retry: Any = {
        "max_retries": RETRIES,
        "retry_timeout": timedelta(seconds=SECONDS),
        "backoff": {**pauses, "base": 3},
    }
    client: Any = {
        "timeout": timedelta(seconds=TIMEOUT),
        "connect_timeout": timedelta(seconds=CONNECT),
        "allow_http": _asks_for_http(),
    }
    url = f"{scheme}://{bucket}"
    with explained(url, "open"):
        return store.from_url(url, client_options=client, retry_config=retry)


def _asks_for_http() -> bool:
    """Return whether a server is named by its user with http, without encryption."""
    named = ("AWS_ENDPOINT", "AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")
    return any(
        name.startswith(named) and value.startswith("http://")
        for name, value in os.environ.items()
    )


def answer(request: Callable[[], T]) -> T:
    """Return what a request returns; signals are handled while it takes its time.

    Python handles signals in the main thread only, and not within a call of the
    library, which may take minutes. So that thread waits for another one instead.
    """
    if threading.current_thread() is not threading.main_thread():
        return request()
    pool = ThreadPoolExecutor(1)
    try:
        return pool.submit(request).result()
    finally:
        pool.shutdown(wait=False)  # a Ctrl-C does not wait for the answer


@contextmanager
def explained(path: Path | str, what: str) -> Iterator[None]:
    """Raise errors of the library as those of this package, in one sentence.

    Args:
        path: What a request is about.
        what: ``read``, ``list``, ``write``, ``remove`` or ``open``.

    Raises:
        FileNotFoundError: There is no object to read.
        FileExistsError: There is one, and a new one was to be written.
        StoreError: The bucket cannot be used, or the server does not do it.
    """
    obstore()
    from obstore import exceptions

    try:
        yield
    except exceptions.AlreadyExistsError:
        raise FileExistsError(errno.EEXIST, "it exists", str(path)) from None
    except (exceptions.BaseError, OSError) as error:
        text = str(error)
        absent = isinstance(error, FileNotFoundError) and what in ("read", "remove")
        if absent and "NoSuchBucket" not in text:
            raise FileNotFoundError(errno.ENOENT, "absent", str(path)) from None
        reason = _reason(str(path), "credentials" if what == "open" else text)
        raise StoreError(f"cannot {what} {path}: {reason}") from None


def _reason(path: str, text: str) -> str:
    """Return why a request failed and what to do, given what the library says."""
    scheme, _, rest = path.partition("://")
    code = (STATUS.findall(text) or [""])[-1]
    if any(sign in text for sign in UNSIGNED):
        return f"found no credentials; {SIGN_IN[scheme]}"
    if code in ("401", "403"):
        return f"access is denied ({code}); {SIGN_IN[scheme]}"
    if code == "404":
        return (
            f"expected a bucket {rest.partition('/')[0]}, got none of this name; "
            f"create it, or name another server or account: {SIGN_IN[scheme]}"
        )
    if "redirect" in text:
        return "the bucket is in another region; set AWS_REGION"
    return f"{_fault(code, text)}; {AGAIN}"


def _fault(code: str, text: str) -> str:
    """Return what a server does wrong."""
    limit = f"after up to {RETRIES} repetitions within {SECONDS} s"
    if "kind: Timeout" in text or "TimedOut" in text:
        return f"the server was too slow, {limit}"
    if "kind: Connect" in text:
        return f"the server cannot be reached, {limit}"
    if code.startswith("5") or code == "429":
        return f"the server fails ({code}), {limit}"
    return f"the server does not do it{code and f' ({code})'}"
