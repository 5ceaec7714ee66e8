"""A page's data and words to one HTML file that opens anywhere: no server, no network.

Everything is in the file but the pictures. Its Content-Security-Policy lets run the very script and
style that are in it, by their hashes, and nothing from elsewhere.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from clearset.page.facts import Facts
from clearset.page.sentences import Summary
from clearset.store.cells import visible

STYLE = "page.css"
SCRIPTS = (
    *("state.js", "dom.js", "flags.js", "csv.js", "rulings.js", "compare.js"),
    *("queue.js", "bounds.js", "groups.js", "table.js", "served.js", "start.js"),
)


def render(
    facts: Facts,
    summary: Summary,
    tables: Mapping[str, pd.DataFrame],
    provenance: Mapping[str, str],
    base: str,
) -> str:
    """Return the page; `tables` are shown as they are, by their titles.

    `base` is the way from the page's folder to that of its pictures.
    """
    script = Markup("".join(f"{text(name)}\n" for name in SCRIPTS))  # noqa: S704 - our own
    style = Markup(text(STYLE))  # noqa: S704 - our own
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["visible"] = lambda value: visible(str(value))
    environment.filters["cell"] = cell
    return environment.from_string(text("page.html")).render(
        facts=facts,
        summary=summary,
        tables=tables,
        provenance=provenance,
        base=base,
        policy=policy(script, style),
        style=style,
        script=script,
        document=Markup(document(asdict(facts))),  # noqa: S704 - escaped there
    )


@cache
def text(name: str) -> str:
    """Return one of the files that a page is made of."""
    return (files("clearset.page") / "assets" / name).read_text(encoding="utf-8")


def document(content: Any) -> str:
    """Return JSON that can stand inside a script element: no markup begins or ends in it."""
    written = json.dumps(content, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def policy(script: str, style: str) -> str:
    """Return the policy: the page's own script and style, pictures beside it, its own server."""
    hashes = (
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for part in (script, style)
    )
    allowed, styled = (f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src {styled}; "
        "img-src 'self' file: data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def cell(value: object) -> str:
    """Return a table's cell as text."""
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.6g}"
    return visible(str(value))
