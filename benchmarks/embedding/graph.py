"""A small writer of ONNX graphs: nodes named as they come, weights in the file or streamed into one beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import onnx

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {"f32": onnx.TensorProto.FLOAT, "f16": onnx.TensorProto.FLOAT16, "i64": onnx.TensorProto.INT64}
FLOATS: Mapping[str, np.dtype[np.floating[Any]]] = {"f32": np.dtype(np.float32), "f16": np.dtype(np.float16)}
MICROSOFT = "com.microsoft"
PAGE = 4096
"""Weights in a file of their own begin at a multiple of this, so that a runtime can map them."""


class Graph:
    """One ONNX graph that grows node by node; each value is the name of a tensor.

    Args:
        path: where :meth:`save` writes.
        opset: of the standard operators.
        beside: whether weights go into ``<path>.data``, each written when it is given and not kept in memory.
    """

    def __init__(self, path: Path, *, opset: int, beside: bool = False) -> None:
        self.path = path
        self.opset = opset
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._files = ExitStack()
        self._data: BinaryIO | None = None
        if beside:
            self._data = self._files.enter_context(path.with_name(f"{path.name}.data").open("wb"))

    def __enter__(self) -> Graph:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()

    def input(self, name: str, kind: str, dims: Sequence[str | int]) -> str:
        """An input of the model; ``kind`` is a key of ``TYPES``, a name among ``dims`` is a free dimension."""
        self._inputs.append(onnx.helper.make_tensor_value_info(name, TYPES[kind], dims))
        return name

    def output(self, value: str, name: str, kind: str, dims: Sequence[str | int]) -> None:
        """Hand a value out under a name."""
        self._nodes.append(onnx.helper.make_node("Identity", [value], [name], name=f"out.{name}"))
        self._outputs.append(onnx.helper.make_tensor_value_info(name, TYPES[kind], dims))

    def nodes(self, op: str, inputs: Sequence[str], outputs: int, *, domain: str = "", **attributes: Any) -> list[str]:
        """A node of several outputs; an input or attribute that is empty or None is left out."""
        stem = f"{op}_{len(self._nodes)}"
        names = [f"{stem}.{index}" for index in range(outputs)]
        given = {key: value for key, value in attributes.items() if value is not None}
        self._nodes.append(onnx.helper.make_node(op, list(inputs), names, name=stem, domain=domain, **given))
        return names

    def node(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node of one output."""
        return self.nodes(op, inputs, 1, domain=domain, **attributes)[0]

    def cast(self, value: str, kind: str) -> str:
        """The value as another dtype."""
        return self.node("Cast", value, to=TYPES[kind])

    def shape(self, value: str, axis: int) -> str:
        """One dimension of a value, shape (1,) int64."""
        return self.node("Shape", value, start=axis, end=axis + 1)

    def reshape(self, value: str, *dims: int) -> str:
        """The value in other dimensions; 0 keeps one, -1 takes what is left."""
        return self.node("Reshape", value, self.constant(np.array(dims, dtype=np.int64)))

    def constant(self, array: NDArray[Any] | np.generic) -> str:
        """A small constant, stored once however often it is asked for."""
        array = np.asarray(array)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = name = f"constant_{len(self._constants)}"
            self._weights.append(onnx.numpy_helper.from_array(array, name))
        return self._constants[key]

    def weight(self, name: str, array: NDArray[Any]) -> str:
        """A weight under its own name."""
        array = np.ascontiguousarray(array)
        if self._data is None:
            self._weights.append(onnx.numpy_helper.from_array(array, name))
            return name
        tensor = onnx.TensorProto(
            name=name,
            data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
            dims=array.shape,
            data_location=onnx.TensorProto.EXTERNAL,
        )
        self._data.write(bytes(-self._data.tell() % PAGE))
        where = {"location": Path(self._data.name).name, "offset": self._data.tell(), "length": array.nbytes}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self._data.write(array.data)
        self._weights.append(tensor)
        return name

    def save(self) -> None:
        """Write the model.

        Raises:
            OSError: it cannot be written.
        """
        domains = {node.domain for node in self._nodes} - {""}
        versions = [("", self.opset), *((domain, 1) for domain in sorted(domains))]
        model = onnx.helper.make_model(
            onnx.helper.make_graph(self._nodes, "decoder", self._inputs, self._outputs, self._weights),
            opset_imports=[onnx.helper.make_opsetid(*version) for version in versions],
            ir_version=11 if self.opset >= 23 else 10,
            producer_name="tcs-harness",
        )
        if self._data:
            self._data.flush()
        self.path.write_bytes(model.SerializeToString(deterministic=True))
