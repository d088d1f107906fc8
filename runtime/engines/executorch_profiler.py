"""ExecuTorch with its event tracer on: every op outside the delegates, and XNNPACK's own ops inside."""

from __future__ import annotations

from runtime.bundle.staging import staging_folder
from runtime.engines.engine import PROFILED_ENGINES, OpEvent
from runtime.engines.etdump_frames import read_frames
from runtime.engines.executorch import ExecuTorch
from runtime.errors import DeviceStableError


@PROFILED_ENGINES.register("executorch")
class ProfiledExecuTorch(ExecuTorch):
    """The same program and kernels; the binding of PyPI is built with the tracer and XNNPACK's profiler."""

    partitions: tuple[tuple[int, ...], ...] = ()

    def __init__(self, path: str, graph: str, threads: int):
        super().__init__(path, graph, threads, with_etdump=True)
        if not self._program.has_etdump():
            raise DeviceStableError("this ExecuTorch is built without its event tracer; install PyPI's")
        self._frames = 0
        self._wanted: list[int] = []

    def invoke(self) -> None:
        super().invoke()
        self._frames += 1

    def begin_frame(self) -> None:
        self._wanted.append(self._frames)

    def end_frame(self) -> None:
        pass  # the tracer is always on

    def take_frames(self) -> list[tuple[int, list[OpEvent]]]:
        with staging_folder() as folder:
            path = folder / "profile.etdp"
            self._program.write_etdump_result_to_file(str(path))
            runs = read_frames(path.read_bytes())
        if len(runs) != self._frames:
            raise DeviceStableError(f"its profile holds {len(runs)} frames, {self._frames} were run")
        wanted, self._wanted, self._frames = self._wanted, [], 0  # writing the dump empties it
        return [runs[i] for i in wanted]
