"""Clearset: find the images that harm a model, repair them, prove the repair, share the result."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clearset.improve import ImproveImage

__all__ = ["ImproveImage"]


def __getattr__(name: str) -> Any:
    """Import the public class only when it is asked for: the stages do not need matplotlib."""
    if name == "ImproveImage":
        from clearset.improve import ImproveImage  # noqa: PLC0415

        return ImproveImage
    raise AttributeError(f"module 'clearset' has no attribute '{name}'")
