"""A second device where there is only the CPU: torch's "meta", which knows shapes and devices but no values."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

SECOND = torch.device("meta")
_ATEN = torch.ops.aten
_COPIES = (_ATEN._to_copy.default, _ATEN.to.dtype_layout)  # the latter in inference mode


class SecondDevice(TorchDispatchMode):
    """While this is entered, tensors on `SECOND` can be copied to the CPU, where they are zeros.

    Operations that mix the two devices raise RuntimeError, as they do with a GPU.
    """

    def __torch_dispatch__(
        self, func: Callable, types: Sequence[type], args: tuple = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _COPIES and args[0].is_meta and kwargs.get("device", SECOND).type == "cpu":
            return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype)
        if func is _ATEN.bincount.default and args[0].is_meta:  # torch has none for "meta"
            return torch.empty(args[2], dtype=torch.int64, device=SECOND)
        return func(*args, **kwargs)
