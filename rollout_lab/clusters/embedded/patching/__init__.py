"""The patch types of the embedded API server: pure functions that never change their input."""

from .failures import unusable_result
from .govalue import go_print
from .jsonpatch import apply_json
from .merge import apply_merge
from .strategic import apply_strategic

__all__ = ["apply_json", "apply_merge", "apply_strategic", "go_print", "unusable_result"]
