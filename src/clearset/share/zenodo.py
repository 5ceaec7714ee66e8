"""An archive that speaks as Zenodo does: a draft of a deposit, which a person publishes.

https://developers.zenodo.org/#depositions
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from clearset.store.errors import ClearsetError

HERE = {"127.0.0.1", "localhost", "::1"}  # where a token may go in the clear
PATIENCE = (10, 600)  # s: until an archive answers at all, and until it says more


def drafted(api: str, token: str, file: Path, metadata: Mapping[str, Any]) -> str:
    """Make a draft that holds a file, and return the address at which a person looks at it.

    `api` is the address of its REST API. Nothing is published. Raises `ClearsetError` for what an
    archive refuses; the draft is then removed again.
    """
    refuse_unsafe(api)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"
    drafts = f"{api.rstrip('/')}/deposit/depositions"
    draft = _answer(session, "POST", drafts, json={})
    own = f"{drafts}/{draft['id']}"
    try:
        _send(session, str(draft["links"]["bucket"]), file, urlsplit(api).netloc)
        _answer(session, "PUT", own, json={"metadata": dict(metadata)})
    except (ClearsetError, KeyboardInterrupt):
        _remove(session, own)
        raise
    return str(draft["links"]["html"])


def refuse_unsafe(api: str) -> None:
    """Raise `ClearsetError` for an address to which a token would go in the clear, or for none."""
    parts = urlsplit(api)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in HERE):
        raise ClearsetError(
            f"{api!a} is no address of an archive's API that begins with https://, such as "
            "https://sandbox.zenodo.org/api. Nothing was sent"
        )


def _send(session: requests.Session, bucket: str, file: Path, host: str) -> None:
    """Send a file and hold its hash to the one that the archive has got."""
    if urlsplit(bucket).netloc != host:  # it would get the token
        raise ClearsetError(f"the archive asks for the file at another host, {bucket!a}: not sent")
    with file.open("rb") as content:
        answer = _answer(session, "PUT", f"{bucket}/{quote(file.name)}", data=content)
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False))
    if answer.get("checksum") != f"md5:{digest.hexdigest()}":
        raise ClearsetError(
            f"the archive has got other bytes of {file.name} than were sent "
            f"({answer.get('checksum')!a}). The draft is removed: run the same again"
        )


def _answer(session: requests.Session, verb: str, address: str, **what: Any) -> dict[str, Any]:
    """Return what an archive answers; raises `ClearsetError` with its reason."""
    try:
        response = session.request(verb, address, timeout=PATIENCE, allow_redirects=False, **what)
        content = response.json()
    except (requests.RequestException, ValueError) as error:
        raise ClearsetError(
            f"{address} does not answer as an archive does: {type(error).__name__}. Nothing was "
            "published. Look at the address and at your network, then run the same again"
        ) from None
    if response.status_code in (401, 403):
        raise ClearsetError(
            f"{address} does not take the token. Make one with the scope deposit:write in your "
            "account there, and set ZENODO_TOKEN to it"
        )
    if response.status_code >= 300 or not isinstance(content, dict):
        raise ClearsetError(
            f"{address} refused ({response.status_code}): {_reason(content)}. Nothing was published"
        )
    return content


def _reason(content: Any) -> str:
    """Return an archive's own words on what it refuses, as short as can be."""
    if not isinstance(content, dict):
        return "no reason given"
    fields = [f"{e.get('field')}: {e.get('message')}" for e in content.get("errors") or ()]
    return "; ".join([str(content.get("message", "")), *fields])[:400]


def _remove(session: requests.Session, draft: str) -> None:
    """Remove a draft, if that can be; what keeps it from being removed is no further news."""
    try:
        session.delete(draft, timeout=PATIENCE, allow_redirects=False)
    except requests.RequestException:
        return
