"""Put the newest fastdup into an environment of its own, try it, and say how it went."""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import numpy as np

from clearset.engines import fastdup
from clearset.images.codec import png_bytes
from clearset.store.errors import ClearsetError

PROJECT = Path("pyproject.toml")  # its dependency group `fastdup` says what is wanted
PYTHONS = ">=3.9,<3.13"  # what fastdup's wheels are made for
LONGEST = 600  # seconds for one step of the installation


@click.command
def command() -> str:
    """Set up the newest fastdup in an environment of its own, beside this one, and try it.

    It never fails and never waits for ever: where fastdup does not work, its record or the native
    engine does the work. How it went is one line, kept beside the environment, where errors of the
    engine repeat it.
    """
    line = set_up()
    record = fastdup.environment().with_suffix(".txt")
    record.write_text(line + "\n", encoding="utf-8")
    return line


def set_up() -> str:
    """Install, try on three images, and return the outcome."""
    click.echo("setting up fastdup in an environment of its own ...")
    missed = ""
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or error
        words = output.decode() if isinstance(output, bytes) else str(output)
        reason = " ".join(words.split())[:300]
        if fastdup.version() == "unknown":  # and no earlier build is there
            system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
            return f"fastdup: not available here ({system}): {reason}"
        missed = f" (no newer build could be looked for: {reason})"
    try:
        attempt()
    except (ClearsetError, OSError) as error:
        return f"{fastdup.reason(error)}{missed}"
    until = fastdup.expires() or "an unknown day"
    return f"fastdup: {fastdup.version()} works, until {until}{missed}"


def install() -> None:
    """Make the environment if need be and bring it to the newest build."""
    uv = str(Path(sys.prefix) / "bin" / "uv")
    home = fastdup.environment()
    if not fastdup.interpreter().exists():
        _quiet([uv, "venv", "--quiet", "--python", PYTHONS, "--no-project", str(home)])
    python = str(fastdup.interpreter())
    options = ["--upgrade", "--only-binary", "fastdup", "--group", f"{PROJECT}:fastdup"]
    _quiet([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *options])


def _quiet(command: list[str]) -> None:
    """Run a command of uv; once more with the system's certificates, for a network of its own."""
    process = subprocess.run(command, check=False, capture_output=True, timeout=LONGEST)
    if process.returncode != 0:
        env = os.environ | {"UV_SYSTEM_CERTS": "true"}
        subprocess.run(command, check=True, capture_output=True, env=env, timeout=LONGEST)


def attempt() -> None:
    """Run fastdup on three small images; raises `ClearsetError` if it fails."""
    with tempfile.TemporaryDirectory(prefix="clearset-") as name:
        scratch = Path(name)
        files = [scratch / f"{number}.png" for number in range(3)]
        for number, file in enumerate(files):
            noise = np.random.default_rng(number).integers(0, 256, (64, 64), dtype=np.uint8)
            file.write_bytes(png_bytes(noise))
        fastdup.run(files, scratch, 1)
