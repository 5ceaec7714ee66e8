"""Clearset: find the images that harm a model, repair them, prove the repair, share the result."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearset.inspection.check import check
    from clearset.inspection.report import Report
    from clearset.repair.improve import ImproveImage
    from clearset.share.loading import Release, load_release, verify

__all__ = ["ImproveImage", "Release", "Report", "check", "load_release", "verify"]

ROOMS = {
    "ImproveImage": "repair.improve",
    "Release": "share.loading",
    "Report": "inspection.report",
    "check": "inspection.check",
    "load_release": "share.loading",
    "verify": "share.loading",
}


def __getattr__(name: str) -> Any:
    """Import what is public only when it is asked for: each takes packages that others do not."""
    if name not in ROOMS:
        raise AttributeError(f"module 'clearset' has no attribute '{name}'")
    return getattr(import_module(f"clearset.{ROOMS[name]}"), name)
