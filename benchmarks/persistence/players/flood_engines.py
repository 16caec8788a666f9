"""Players of the Flood complex: values are radii, approximate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.persistence import inputs as problem
from benchmarks.persistence.barcode import as_answer
from benchmarks.persistence.players.packages import need
from harness.case import Stage, player
from harness.errors import Unavailable

Solve = Callable[[], Mapping[str, Any]]

_INSTALL = "pip install -e '.[flooder]' -c constraints.txt"


@player(
    name="flooder",
    task="persistence.flood",
    engine="flooder",
    packages={"flooder": ">=1.0.1", "torch": ""},
    install="pip install -e '.[flooder]' -c constraints.txt",
    cite="Graf, Pellizzoni, Uray, Huber and Kwitt, The Flood Complex, arXiv:2509.22432 (2025)",
    note="on the CPU: a k-d tree instead of the Triton kernels it is made for",
)
def flooder_cpu(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Flooder on the CPU, farthest-point landmarks from the first point."""
    return _flooder(inputs, stage, device="cpu")


@player(
    name="flooder GPU",
    task="persistence.flood",
    engine="flooder",
    device="cuda",
    packages={"flooder": ">=1.0.1", "torch": ""},
    install="pip install -e '.[flooder]' -c constraints.txt (torch of a CUDA build)",
    cite="Graf, Pellizzoni, Uray, Huber and Kwitt, The Flood Complex, arXiv:2509.22432 (2025)",
    note="Triton kernels in float32; copies to the device are charged",
)
def flooder_gpu(inputs: Mapping[str, Any], stage: Stage) -> Solve:
    """Flooder on the GPU, farthest-point landmarks from the first point."""
    return _flooder(inputs, stage, device="cuda")


def _flooder(inputs: Mapping[str, Any], stage: Stage, *, device: str) -> Solve:
    points = problem.cloud(inputs["points"])
    landmarks = int(inputs["landmarks"])
    torch = need("torch", _INSTALL)
    core: Any = need("flooder.core", _INSTALL)
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("torch sees no CUDA device; run it on a machine with a GPU and a CUDA build of torch")
    dtype = torch.float32 if device == "cuda" else torch.float64
    if not hasattr(core, "tl_dtypes_dict"):
        # 1.0.1 looks this name up even on the CPU, where Triton cannot be imported
        core.tl_dtypes_dict = {torch.float32: None, torch.float64: None}
    torch.set_num_threads(problem.threads(inputs))

    def solve() -> Mapping[str, Any]:
        import warnings

        with stage("filtration"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Using float64 in Triton", category=RuntimeWarning)
            cloud = torch.as_tensor(points, dtype=dtype, device=device)
            # the README has the two first arguments the other way round
            tree = core.flood_complex(
                points=cloud, landmarks=landmarks, return_simplex_tree=True, use_triton=device == "cuda", start_idx=0
            )
        with stage("reduction"):
            tree.compute_persistence(homology_coeff_field=2)
        return as_answer([tree.persistence_intervals_in_dimension(d) for d in range(points.shape[1])])

    return solve
