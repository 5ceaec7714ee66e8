"""Clearset: find the images that harm a model, repair them, prove the repair, share the result."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearset.repair.improve import ImproveImage
    from clearset.share.loading import Release, load_release

__all__ = ["ImproveImage", "Release", "load_release"]


def __getattr__(name: str) -> Any:
    """Import what is public only when it is asked for: the stages do not need matplotlib."""
    if name == "ImproveImage":
        from clearset.repair.improve import ImproveImage  # noqa: PLC0415

        return ImproveImage
    if name in ("Release", "load_release"):
        from clearset.share import loading  # noqa: PLC0415

        return getattr(loading, name)
    raise AttributeError(f"module 'clearset' has no attribute '{name}'")
